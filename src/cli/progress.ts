/** How far a long command is: a bar on a terminal, nothing in a file. */

export interface Progress {
  step(count?: number): void;
  /** A line above the bar. */
  say(text: string): void;
  end(): void;
}

const WIDTH = 30;
/** Milliseconds between redraws. */
const PAUSE = 100;

/** @param total null if nobody knows: then there is a count and no bar. */
export function showProgress(total: number | null, stream: NodeJS.WriteStream = process.stderr): Progress {
  const start = performance.now();
  let done = 0;
  let drawn = -PAUSE;

  function draw(): void {
    const seconds = (performance.now() - start) / 1000;
    const rate = `${(done / seconds).toFixed(1)}/s`;
    stream.write(
      `\r\x1b[K${total === null ? `${done}  ${rate}` : `${barOf(total)}  ${rate}  ${left(total, seconds)}`}`,
    );
    drawn = performance.now();
  }

  function barOf(all: number): string {
    const filled = Math.round((WIDTH * done) / all);
    return `${"█".repeat(filled)}${"░".repeat(WIDTH - filled)} ${done}/${all}`;
  }

  function left(all: number, seconds: number): string {
    return `${done ? Math.ceil((seconds / done) * (all - done)) : 0} s left`;
  }

  return {
    step(count = 1) {
      done += count;
      if (stream.isTTY && performance.now() - drawn >= PAUSE) draw();
    },
    say(text) {
      stream.write(`${stream.isTTY ? "\r\x1b[K" : ""}${text}\n`);
    },
    end() {
      if (stream.isTTY) stream.write("\r\x1b[K");
    },
  };
}
