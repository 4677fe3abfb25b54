import { describe, expect, test } from "vitest";
import { createBreaker } from "../../src/classify/breaker.ts";

function breaker() {
  const clock = { time: 0 };
  return { clock, ...createBreaker({ failures: 3, coolDownMs: 100 }, () => clock.time) };
}

describe("circuit breaker", () => {
  test("opens at the last allowed failure in a row, not before", () => {
    const { tryPass, failed } = breaker();
    failed();
    failed();
    expect(tryPass()).toBe(true);
    failed();
    expect(tryPass()).toBe(false);
  });

  test("a success in between starts the count again", () => {
    const { tryPass, failed, succeeded } = breaker();
    failed();
    failed();
    succeeded();
    failed();
    failed();
    expect(tryPass()).toBe(true);
  });

  test("after the pause one request may try, the others wait for it", () => {
    const { clock, tryPass, failed } = breaker();
    for (let i = 0; i < 3; i++) failed();
    clock.time = 99;
    expect(tryPass()).toBe(false);
    clock.time = 100;
    expect([tryPass(), tryPass()]).toEqual([true, false]);
  });

  test("if that one succeeds all may go; if it fails there is another pause", () => {
    const { clock, tryPass, failed, succeeded } = breaker();
    for (let i = 0; i < 3; i++) failed();
    clock.time = 100;
    tryPass();
    failed();
    clock.time = 199;
    expect(tryPass()).toBe(false);
    clock.time = 200;
    expect(tryPass()).toBe(true);
    succeeded();
    expect([tryPass(), tryPass()]).toEqual([true, true]);
  });

  test("if that one is never heard of again, another may try after a pause", () => {
    const { clock, tryPass, failed } = breaker();
    for (let i = 0; i < 3; i++) failed();
    clock.time = 100;
    tryPass();
    clock.time = 200;
    expect(tryPass()).toBe(true);
  });
});
