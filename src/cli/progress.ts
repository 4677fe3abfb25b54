/** How far a long command is: a bar on a terminal, nothing in a file. */

export interface Progress {
  step(): void;
  /** A line above the bar. */
  say(text: string): void;
  end(): void;
}

const WIDTH = 30;
/** Milliseconds between redraws. */
const PAUSE = 100;

export function showProgress(total: number, stream: NodeJS.WriteStream = process.stderr): Progress {
  const start = performance.now();
  let done = 0;
  let drawn = -PAUSE;

  function draw(): void {
    const filled = Math.round((WIDTH * done) / total);
    const seconds = (performance.now() - start) / 1000;
    const left = done ? Math.ceil((seconds / done) * (total - done)) : 0;
    const bar = `${"█".repeat(filled)}${"░".repeat(WIDTH - filled)}`;
    stream.write(`\r\x1b[K${bar} ${done}/${total}  ${(done / seconds).toFixed(1)}/s  ${left} s left`);
    drawn = performance.now();
  }

  return {
    step() {
      done += 1;
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
