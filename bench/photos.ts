/** The images that benchmarks use: one real photo enlarged to the size and encoded in the format that is asked for. */
import sharp, { type Sharp } from "sharp";

export interface BenchPhoto {
  readonly name: string;
  readonly megapixels: number;
  make(): Promise<Uint8Array<ArrayBuffer>>;
}

const SOURCE = "examples/photos/church.jpg";

/** 3:2, like a camera's. */
const scaled = (megapixels: number) => {
  const height = Math.round(Math.sqrt((megapixels * 1e6) / 1.5));
  return sharp(SOURCE, { limitInputPixels: false }).resize(Math.round(height * 1.5), height, {
    fit: "fill",
    kernel: "cubic",
  });
};

const photo = (name: string, megapixels: number, encode: (image: Sharp) => Sharp): BenchPhoto => ({
  name,
  megapixels,
  make: async () => new Uint8Array(await encode(scaled(megapixels)).toBuffer()),
});

export const PHOTOS: readonly BenchPhoto[] = [
  photo("JPEG baseline", 2, (image) => image.jpeg({ quality: 90 })),
  photo("JPEG baseline", 12, (image) => image.jpeg({ quality: 90 })),
  photo("JPEG baseline", 20, (image) => image.jpeg({ quality: 90 })),
  photo("JPEG progressive 4:2:0", 12, (image) => image.jpeg({ quality: 90, progressive: true })),
  photo("JPEG progressive 4:4:4", 20, (image) =>
    image.jpeg({ quality: 90, progressive: true, chromaSubsampling: "4:4:4" }),
  ),
  photo("JPEG CMYK", 12, (image) => image.toColourspace("cmyk").jpeg({ quality: 90 })),
  photo("PNG 8 bit", 12, (image) => image.png({ compressionLevel: 3 })),
  photo("PNG 16 bit", 4, (image) => image.toColourspace("rgb16").png({ compressionLevel: 3 })),
  photo("WebP lossy", 6.5, (image) => image.webp({ quality: 80 })),
  photo("WebP lossless", 4.1, (image) => image.webp({ lossless: true, effort: 0 })),
  photo("GIF", 2, (image) => image.gif({ effort: 1 })),
  photo("AVIF", 2.15, (image) => image.avif({ effort: 0 })),
];
