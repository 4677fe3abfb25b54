import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from pathlib import Path
from thumbnet.distributed import place_from_environment, require_same_progress
with place_from_environment() as place:
    require_same_progress(place, 1, int(sys.argv[1]) * place.rank, Path("runs/mine"))
"""


def start(apart: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "script.py").write_text(SCRIPT)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [*launch, str(folder / "script.py"), apart]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_processes_that_would_go_on_from_different_checkpoints_are_refused(tmp_path: Path) -> None:
    assert start("0", tmp_path).returncode == 0
    apart = start("40", tmp_path)
    assert apart.returncode != 0
    assert "(0: phase 2, step 0, 1: phase 2, step 40): they must share --out runs/mine" in apart.stderr
