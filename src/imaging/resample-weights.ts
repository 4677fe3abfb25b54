import type { Geometry } from "./image.ts";

/** Pillow's filters and their fixed-point weights (`src/libImaging/Resample.c`). */

/** Fractional bits of a weight; a sum of 8-bit samples times weights then fits 32 bits. */
const PRECISION_BITS = 32 - 8 - 2;
export const HALF = 1 << (PRECISION_BITS - 1);

interface Filter {
  readonly support: number;
  weight(x: number): number;
}

const FILTERS: Record<Geometry["filter"], Filter> = {
  bilinear: {
    support: 1,
    weight: (x) => Math.max(0, 1 - Math.abs(x)),
  },
  // Keys' cubic convolution with a = -0.5.
  bicubic: {
    support: 2,
    weight(signed) {
      const x = Math.abs(signed);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      if (x < 2) return (((x - 5) * x + 8) * x - 4) * -0.5;
      return 0;
    },
  },
};

/** For each output index: the first input index, how many, and their fixed-point weights at `index * stride`. */
export interface Coefficients {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Int32Array;
  readonly stride: number;
}

/** Pillow's `precompute_coeffs` and `normalize_coeffs_8bpc`; the box is single precision there, so it is here. */
export function coefficients(
  inSize: number,
  box0: number,
  box1: number,
  outSize: number,
  name: Geometry["filter"],
): Coefficients {
  const filter = FILTERS[name];
  const in0 = Math.fround(box0);
  const scale = Math.fround(Math.fround(box1) - in0) / outSize;
  const filterScale = Math.max(scale, 1);
  const support = filter.support * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const weights = new Int32Array(outSize * stride);
  const exact = new Float64Array(stride);
  for (let out = 0; out < outSize; out++) {
    const center = in0 + (out + 0.5) * scale;
    const low = Math.max(0, Math.trunc(center - support + 0.5));
    const length = Math.min(inSize, Math.trunc(center + support + 0.5)) - low;
    let sum = 0;
    for (let i = 0; i < length; i++) {
      const weight = filter.weight((i + low - center + 0.5) * (1 / filterScale));
      exact[i] = weight;
      sum += weight;
    }
    for (let i = 0; i < length; i++) {
      const weight = (exact[i] ?? 0) / (sum || 1);
      weights[out * stride + i] = Math.trunc(weight * (1 << PRECISION_BITS) + (weight < 0 ? -0.5 : 0.5));
    }
    first[out] = low;
    count[out] = length;
  }
  return { first, count, weights, stride };
}
