import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import tyro
from pictures import paint

from thumbnet.command import command_of
from thumbnet.config import Codec, Config, Schedule, Weights, read_config
from thumbnet.downscaler import Downscaler, ServedDownscaler
from thumbnet.export import export
from thumbnet.export_options import Export
from thumbnet.feed import make_thumbnails
from thumbnet.photos import read_folder
from thumbnet.run import StoppedEarlyError, evaluate_run, train
from thumbnet.views import Views

NONE = Schedule(0, 4, 1e-3)


def weights(run: Path) -> dict[str, torch.Tensor]:
    stored = torch.load(run / "models.pt", weights_only=True)
    return {f"{network}.{name}": value for network, state in stored.items() for name, value in state.items()}


def test_a_run_leaves_its_options_networks_result_and_figure(config: Config) -> None:
    result = train(config)
    assert read_config(config.out / "config.json") == config
    assert result == json.loads((config.out / "result.json").read_text())
    assert result["student"]["all"]["images"] == 9
    assert result["student"]["imagenet_val"]["images"] == 1
    assert {"teacher", "direct", "student", "restored", "psnr", "seconds", "command"} <= set(result)
    assert (config.out / "figure.svg").read_text().count("<svg") == 1
    assert evaluate_run(config, config.out)["student"] == result["student"]


@pytest.mark.parametrize(
    "stops", [[(0, 2)], [(1, 1)], [(2, 1), (3, 2)]], ids=["in phase 1", "in phase 2", "in phases 3 and 4"]
)
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(config: Config, stops: list[tuple[int, int]]) -> None:
    train(config)
    resumed = replace(config, out=config.out.with_name("resumed"))
    for stop in stops:
        with pytest.raises(StoppedEarlyError):
            train(resumed, stop_at=stop)
    train(resumed)
    expected, found = weights(config.out), weights(resumed.out)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[key], found[key]) for key in expected)
    assert (config.out / "history.json").read_text() == (resumed.out / "history.json").read_text()


def test_a_student_with_dropout_resumes_exactly(config: Config) -> None:
    alone = replace(config, arch="ghostnet_100", reconstruct=NONE, restore=NONE, mapping=NONE, downscaler_lr=0.0)
    alone = replace(alone, weights=Weights(fm=0.0))
    train(alone)
    resumed = replace(alone, out=config.out.with_name("resumed"))
    with pytest.raises(StoppedEarlyError):
        train(resumed, stop_at=(3, 2))
    train(resumed)
    expected, found = weights(alone.out), weights(resumed.out)
    assert all(torch.equal(expected[key], found[key]) for key in expected)


def test_a_run_does_not_go_on_with_other_photos_or_another_teacher(config: Config, tmp_path: Path) -> None:
    shutil.copytree(config.data, tmp_path / "data")
    begun = replace(config, data=tmp_path / "data", teacher_weights=tmp_path / "teacher.pt")
    shutil.copyfile(config.teacher_weights or "", tmp_path / "teacher.pt")
    with pytest.raises(StoppedEarlyError):
        train(begun, stop_at=(0, 1))
    paint(0, 50).save(tmp_path / "data" / "train" / "disc" / "disc1.png")
    torch.save(timm.create_model(config.teacher, num_classes=2).state_dict(), tmp_path / "teacher.pt")
    with pytest.raises(ValueError, match="other photos and teacher"):
        train(begun)


def test_a_changed_class_map_is_refused_while_training_and_afterwards(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    path.write_text(json.dumps({"bars": [0, "bars"], "disc": [1, "disc"]}))
    mapped = replace(config, class_map=str(path), restore=NONE, mapping=NONE, weights=Weights())
    with pytest.raises(StoppedEarlyError):
        train(mapped, stop_at=(3, 1))
    kept, changed = path.read_text(), json.dumps({"bars": [1, "bars"], "disc": [0, "disc"]})
    path.write_text(changed)
    with pytest.raises(ValueError, match="other class map: choose another --out"):
        train(mapped)
    path.write_text(kept)
    train(mapped)
    evaluate_run(mapped, mapped.out)
    path.write_text(changed)
    for use in (lambda: evaluate_run(mapped, mapped.out), lambda: export(Export(mapped.out, tmp_path / "models"))):
        with pytest.raises(ValueError, match=r"another class map: bring .*map\.json back"):
            use()
    assert not (tmp_path / "models").exists()
    stored = torch.load(mapped.out / "checkpoint.pt", weights_only=True)
    del stored["inputs"]["class map"]  # as of a run that is older than that entry
    torch.save(stored, mapped.out / "checkpoint.pt")
    evaluate_run(mapped, mapped.out)


def test_photos_that_changed_their_folders_are_other_inputs(config: Config, tmp_path: Path) -> None:
    shutil.copytree(config.data, tmp_path / "data")
    begun = replace(config, data=tmp_path / "data")
    with pytest.raises(StoppedEarlyError):
        train(begun, stop_at=(0, 1))
    (tmp_path / "data" / "train" / "bars" / "bars5.png").rename(tmp_path / "data" / "train" / "disc" / "bars5.png")
    with pytest.raises(ValueError, match=r"was made with other .*labels of photos"):
        train(begun)


def test_losses_that_are_no_numbers_end_a_run(config: Config) -> None:
    with pytest.raises(ValueError, match=r"reconstruct, step \d: mse is no finite number"):
        train(replace(config, reconstruct=Schedule(9, 4, 1e30)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mapping": Schedule(2, 4, 1e-3), "weights": Weights(pooled=0.0)}, "--mapping.steps needs something to map"),
        ({"mapping": NONE, "weights": Weights(kd=0.0, kd_all=0.0, pooled=0.0)}, "--learn.steps needs a loss"),
    ],
)
def test_a_phase_without_a_loss_is_refused_before_training(config: Config, changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        train(replace(config, **changes))


def test_a_frozen_downscaler_writes_what_it_will_write_when_it_is_served(config: Config) -> None:
    downscaler = Downscaler(config.size, width=8, bfloat16=True)
    torch.nn.init.normal_(downscaler.last.weight, std=0.1)
    views = Views(read_folder(config.data / "train", config.cache))
    made = make_thumbnails(downscaler.train(), views, config.cache)[0]
    served = ServedDownscaler(downscaler.eval())(torch.from_numpy(np.array(views.photos.pixels))).numpy()
    assert (made != served).mean() < 0.001  # what bfloat16 would change is seventy times as much


def test_a_restorer_learns_in_bfloat16_and_is_kept_in_float32(config: Config) -> None:
    train(config)
    half = replace(config, out=config.out.with_name("half"), bfloat16=True)
    train(half)
    exact, rough = weights(config.out), weights(half.out)
    moved = [key for key in exact if key.startswith("decoder.") and not torch.equal(exact[key], rough[key])]
    assert moved  # it did run in bfloat16 ...
    assert all(rough[key].dtype == torch.float32 for key in moved)
    assert all(torch.allclose(exact[key], rough[key], atol=4e-3) for key in moved)  # ... and learnt the same


def test_crops_of_unlabelled_photos_are_further_views_of_them(config: Config) -> None:
    stack = config.out.with_name("further.npy")
    np.save(stack, np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), np.uint8))
    whole = replace(
        config,
        unlabelled=stack,
        unlabelled_share=0.5,
        cache=config.out.with_name("own"),
        mapping=NONE,
        weights=Weights(cl=0.5),
    )
    train(whole)
    crops = replace(whole, out=config.out.with_name("crops"), unlabelled_views=2)
    train(crops)
    before, after = weights(whole.out), weights(crops.out)
    assert any(not torch.equal(before[key], after[key]) for key in before)
    assert len(list(whole.cache.glob("answers-*/done"))) == 2 + 2  # two rounds each of labelled and unlabelled ones
    with pytest.raises(ValueError, match="fm learns from the labelled photos alone"):
        train(replace(whole, weights=Weights(fm=0.1), out=config.out.with_name("maps")))


def test_a_student_learns_from_mixed_pictures_and_resumes_exactly(config: Config) -> None:
    train(config)
    plain = replace(config, weights=Weights(cl=0.5), mapping=NONE)
    mixed = replace(plain, out=config.out.with_name("mixed"), cutmix=0.5, flip=True)
    resumed = replace(mixed, out=config.out.with_name("resumed"))
    with pytest.raises(StoppedEarlyError):
        train(resumed, stop_at=(3, 2))
    for run in (mixed, resumed, replace(plain, out=config.out.with_name("plain"))):
        train(run)
    found = weights(mixed.out)
    assert all(torch.equal(found[key], value) for key, value in weights(resumed.out).items())
    student = [key for key in found if key.startswith("student.")]
    assert any(not torch.equal(found[key], weights(config.out.with_name("plain"))[key]) for key in student)
    with pytest.raises(ValueError, match="maps features where they are"):
        train(replace(config, out=config.out.with_name("maps"), flip=True))


def test_a_restorer_learns_from_the_maps_of_every_resolution(config: Config) -> None:
    own = replace(config, weights=Weights(stages=0.5), mapping=NONE, learn=NONE)
    train(own)
    history = json.loads((own.out / "history.json").read_text())
    assert history[-1]["phase"] == "restore" and history[-1]["stages"] > 0


def test_a_val_folder_of_other_classes_is_refused_before_training(config: Config, tmp_path: Path) -> None:
    shutil.copytree(config.data, tmp_path / "data")
    (tmp_path / "data" / "val" / "disc").rename(tmp_path / "data" / "val" / "circle")
    with pytest.raises(ValueError, match="only one of them has circle, disc"):
        train(replace(config, data=tmp_path / "data"))


def test_a_run_is_not_measured_on_folders_of_other_classes(config: Config, tmp_path: Path) -> None:
    train(replace(config, reconstruct=Schedule(1, 4, 1e-3), restore=NONE, mapping=NONE, learn=NONE))
    shutil.copytree(config.data / "val", tmp_path / "other" / "val")
    assert evaluate_run(config, config.out, tmp_path / "other")["restored"]["all"]["images"] == 9
    (tmp_path / "other" / "val" / "disc").rename(tmp_path / "other" / "val" / "circle")
    with pytest.raises(ValueError, match="only one of them has circle, disc"):
        evaluate_run(config, config.out, tmp_path / "other")


def test_class_folders_are_not_taken_for_outputs_of_a_teacher_that_has_more(config: Config, tmp_path: Path) -> None:
    torch.save(timm.create_model(config.teacher, num_classes=3).state_dict(), tmp_path / "three.pt")
    three = replace(config, teacher_weights=tmp_path / "three.pt", teacher_classes=3)
    with pytest.raises(ValueError, match="2 class folders and test_efficientnet 3 outputs"):
        train(three)
    for asking in ({"prior": 1.0}, {"heads": (tmp_path / "student-56",), "learn": NONE}):
        with pytest.raises(ValueError, match=f"which is which, for --{next(iter(asking))}"):
            train(replace(three, weights=Weights(cl=1.0, kd=0.0, kd_all=0.0, pooled=0.0), mapping=NONE, **asking))
    own = {
        "weights": Weights(cl=1.0, kd=0.0, kd_all=0.0, pooled=0.0),
        "mapping": NONE,
        "reconstruct": NONE,
        "restore": NONE,
    }
    assert set(train(replace(three, out=tmp_path / "labels", **own))) & {
        "teacher",
        "direct",
        "student",
        "restored",
    } == {"student"}


def test_a_run_that_is_older_than_an_option_goes_on_with_its_default(config: Config) -> None:
    with pytest.raises(StoppedEarlyError):
        train(config, stop_at=(3, 1))
    path = config.out / "config.json"
    stored = json.loads(path.read_text())
    del stored["balance"]
    path.write_text(json.dumps(stored))
    train(config)
    with pytest.raises(ValueError, match="holds a run with other options"):
        train(replace(config, seed=5))


def test_another_seed_gives_other_weights(config: Config) -> None:
    train(config)
    other = replace(config, out=config.out.with_name("other"), seed=1)
    train(other)
    assert any(
        not torch.equal(a, b) for a, b in zip(weights(config.out).values(), weights(other.out).values(), strict=True)
    )


def test_a_run_folder_with_other_options_is_refused(config: Config) -> None:
    config.out.mkdir()
    (config.out / "config.json").write_text(replace(config, seed=5).to_json())
    (config.out / "checkpoint.pt").touch()
    with pytest.raises(ValueError, match="holds a run with other options"):
        train(config)


def test_a_refused_command_leaves_the_run_folder_to_the_corrected_one(config: Config, tmp_path: Path) -> None:
    quick = replace(config, reconstruct=NONE, restore=NONE, mapping=NONE)
    with pytest.raises(ValueError, match="no class map"):
        train(replace(quick, class_map=str(tmp_path / "none.json")))
    train(quick)
    assert read_config(config.out / "config.json") == quick


def test_phase_one_learns_to_rebuild_the_photos(config: Config) -> None:
    long = replace(config, reconstruct=Schedule(100, 4, 4e-3), restore=NONE, mapping=NONE, learn=NONE)
    bicubic = replace(long, out=config.out.with_name("none"), reconstruct=NONE)
    assert train(long)["psnr"] > train(bicubic)["psnr"] + 0.2


def test_a_frozen_downscaler_stays_as_it_was_and_a_student_of_another_architecture_learns(config: Config) -> None:
    train(config)
    second = replace(
        config,
        out=config.out.with_name("second"),
        downscaler=config.out / "models.pt",
        downscaler_lr=0.0,
        arch="test_resnet",
        reconstruct=NONE,
        restore=NONE,
    )
    train(second)
    before, after = weights(config.out), weights(second.out)
    assert all(torch.equal(before[key], after[key]) for key in before if key.startswith("downscaler."))
    assert "projector.weight" in after  # its pooled features have another width than the teacher's


def test_a_student_starts_from_a_downscaler_that_is_served(config: Config, tmp_path: Path) -> None:
    train(config)
    models = tmp_path / "models"
    export(Export(run=config.out, models=models, parts=("downscaler", "restorer")))
    second = replace(
        config,
        out=config.out.with_name("second"),
        downscaler=models / "downscaler-56",
        downscaler_lr=0.0,
        reconstruct=NONE,
        restore=NONE,
    )
    train(second)
    before, after = weights(config.out), weights(second.out)
    frozen = [key for key in before if key.startswith(("downscaler.", "decoder."))]
    assert all(
        torch.equal(before[key].half().float() if before[key].dim() > 1 else before[key], after[key]) for key in frozen
    )
    with pytest.raises(ValueError, match="other widths than --width"):
        train(replace(second, out=config.out.with_name("third"), width=4))
    # Its decoder's widths matter only to who needs the decoder.
    train(replace(second, out=config.out.with_name("fourth"), decoder_pairs=1, decoder_width=4))


@pytest.mark.parametrize(
    ("more", "layer", "less"),
    [
        ({"decoder_pairs": 4}, "decoder.residual.3.two.weight", {"decoder_pairs": 1}),
        ({"decoder_context": 8}, "decoder.context.up.weight", {"decoder_context": 0}),
    ],
)
def test_a_decoder_with_more_layers_starts_as_the_one_that_it_goes_on_from(
    config: Config, more: dict[str, int], layer: str, less: dict[str, int]
) -> None:
    first = replace(config, reconstruct=Schedule(10, 4, 4e-3), restore=NONE, mapping=NONE, learn=NONE)
    small = train(first)
    stored = first.out / "models.pt"
    second = replace(first, out=config.out.with_name("second"), downscaler=stored, reconstruct=NONE, **more)
    assert train(second)["psnr"] == pytest.approx(small["psnr"], abs=1e-4)
    larger = replace(second, out=config.out.with_name("third"), reconstruct=Schedule(2, 4, 4e-3))
    train(larger)
    assert weights(larger.out)[layer].any()
    with pytest.raises(ValueError, match="--decoder-pairs, --decoder-context"):
        train(replace(second, out=config.out.with_name("fourth"), downscaler=larger.out / "models.pt", **less))


def test_training_goes_on_from_a_student_that_is_served(config: Config, tmp_path: Path) -> None:
    first = replace(config, restore=NONE, mapping=NONE, weights=Weights(cl=0.5))
    accuracy = train(first)["student"]
    models = tmp_path / "models"
    export(Export(run=first.out, models=models))
    second = replace(
        first,
        out=config.out.with_name("second"),
        downscaler=first.out / "models.pt",
        student=models / "student-56",
        reconstruct=NONE,
        learn=Schedule(1, 4, 0.0),  # no step changes a weight
        downscaler_lr=0.0,
    )
    assert train(second)["student"] == accuracy
    with pytest.raises(ValueError, match="another architecture"):
        train(replace(second, out=config.out.with_name("third"), arch="test_resnet"))


def test_an_averaged_student_lies_between_the_teacher_and_the_trained_one(config: Config) -> None:
    folded = replace(config, folded=True, reconstruct=NONE, restore=NONE, mapping=NONE, weights=Weights(cl=0.5))
    ends = {}
    for share in (0.0, 0.25, 1.0):
        run = replace(folded, out=config.out.with_name(f"share {share}"), weight_average=share)
        train(run)
        ends[share] = {k: v for k, v in weights(run.out).items() if k.startswith("student.") and v.is_floating_point()}
    assert all(
        torch.allclose(ends[0.25][key], 0.75 * ends[0.0][key] + 0.25 * ends[1.0][key], atol=1e-6) for key in ends[0.0]
    )
    assert any(not torch.equal(ends[0.0][key], ends[1.0][key]) for key in ends[0.0])
    for start in (None, config.data):
        with pytest.raises(ValueError, match="needs --folded"):
            refused = replace(config, folded=start is not None, student=start, weight_average=0.5)
            train(replace(refused, out=config.out.with_name("refused")))


def test_a_student_of_a_run_is_averaged_with_that_run(config: Config) -> None:
    first = replace(config, folded=True, reconstruct=NONE, restore=NONE, mapping=NONE)
    train(first)
    begun = {"student": first.out / "models.pt", "downscaler": first.out / "models.pt"}
    second = replace(first, **begun, out=config.out.with_name("second"), weight_average=0.0)
    train(second)
    students = (name for name in weights(first.out) if name.startswith("student."))
    assert all(torch.equal(weights(first.out)[name], weights(second.out)[name]) for name in students)


def test_a_finished_run_is_ended_otherwise_without_training_anew(config: Config) -> None:
    whole = replace(config, folded=True, reconstruct=NONE, restore=NONE, mapping=NONE)
    train(whole)
    trained = replace(whole, out=config.out.with_name("trained"), weight_average=0.25, prior=1.0)
    train(trained)
    ended = replace(trained, out=config.out.with_name("ended"), ending_of=whole.out)
    train(ended)
    wanted, found = weights(trained.out), weights(ended.out)
    assert all(torch.equal(value, found[key]) for key, value in wanted.items())
    of_an_ending = replace(ended, ending_of=ended.out)
    for other in (replace(ended, seed=1), replace(ended, ending_of=whole.out.with_name("missing")), of_an_ending):
        with pytest.raises((ValueError, FileNotFoundError)):
            train(replace(other, out=config.out.with_name("other")))


def train_in_two_processes(config: Config) -> None:
    options = command_of(config, full_paths=True).split()[1:]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launch, "-m", "thumbnet", *options], capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_two_processes_train_all_phases(config: Config) -> None:
    train_in_two_processes(config)
    assert json.loads((config.out / "result.json").read_text())["student"]["all"]["images"] == 9


def test_two_processes_train_as_one_does(config: Config) -> None:
    alone = replace(config, restore=NONE, mapping=NONE, learn=NONE, reconstruct=Schedule(5, 4, 1e-3))
    train(alone)
    together = replace(alone, out=config.out.with_name("together"))
    train_in_two_processes(together)
    one, two = weights(alone.out), weights(together.out)
    # the same photos a step, only summed in another order
    assert all(torch.allclose(one[key], two[key], atol=1e-5) for key in one)


def test_the_recorded_command_gives_the_same_options_back(config: Config) -> None:
    joint = replace(config, heads=(Path("a"), Path("b/c")), codec=Codec("webp", restored=False))
    for options in (config, replace(config, folded=True, bfloat16=True), joint):
        words = command_of(options, full_paths=True).split()
        assert words[:2] == ["thumbnet", "train"]
        assert tyro.cli(Config, args=words[2:]) == options
