import { z } from 'zod';

const sha256 = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const tensor = {
  /** Key in the SavedModel's signature. */
  name: z.string(),
  /** The graph's tensor name, for example `serving_default_images:0`. */
  tensor: z.string(),
  /** TensorFlow's name of the type, for example `DT_STRING`. */
  dtype: z.string(),
  /** -1 stands for a dimension that is not fixed. */
  shape: z.array(z.number().int()),
};

/** One for each channel of an image. */
const byChannel = z.tuple([z.number(), z.number(), z.number()]);
const channel = z.union([z.literal(0), z.literal(1), z.literal(2)]);

/**
 * What preprocessing does to the pixels, where it is one bilinear resize, a crop and a scale:
 * `image[y, x, c] = scale[c] * photo[y', x', channels[c]] + offset[c]`.
 */
const Sampling = z.object({
  /** int64 `shape` [height, width, 3] of the photo → int64 `resized` [height, width] and `corner` [y, x] of the crop. */
  geometry: z.object({ file: z.string(), sha256 }),
  /** Of ONNX's Resize: how a place in the resized photo becomes one in the photo. */
  coordinates: z.enum(['half_pixel', 'asymmetric', 'align_corners']),
  /** Height and width of the image. */
  size: z.tuple([z.number().int().positive(), z.number().int().positive()]),
  channels: z.tuple([channel, channel, channel]),
  scale: byChannel,
  offset: byChannel,
});

/** See the schema. */
export type Sampling = z.infer<typeof Sampling>;

/**
 * `manifest.json` of a converted model: what `conversion/` writes, last, and the scoring server reads. Paths are relative to
 * the manifest. It holds no times, so equal conversions have equal bytes; the model's digest is the digest of those bytes.
 */
export const ConvertedModelManifest = z.object({
  format: z.literal('slipway.converted-model/1'),
  source: z.object({ signature: z.string() }),
  inputs: z.array(z.object(tensor)).length(1),
  /** `tolerance`: how far a value may be from its golden, where that is more than rounding ({@link allowedDifference}). */
  outputs: z.array(z.object({ ...tensor, onnx: z.string(), tolerance: z.number().min(0).optional() })).min(1),
  /**
   * The decode op that the graph had; the server decodes the same way (`INTEGER_FAST` is TensorFlow's default). Absent
   * when the input is no string: the caller then sends what `model` takes (DT_FLOAT or DT_UINT8).
   */
  decode: z
    .object({
      op: z.string(),
      channels: z.literal(3),
      dctMethod: z.literal('INTEGER_FAST'),
    })
    .optional(),
  /** uint8 `[height, width, 3]` → one image of the model's input, without the batch dimension. Absent when fused. */
  preprocess: z
    .object({ file: z.string(), sha256, input: z.string(), output: z.string(), sampling: Sampling.optional() })
    .optional(),
  model: z.object({
    file: z.string(),
    sha256,
    input: z.string(),
    opset: z.number().int(),
    irVersion: z.number().int(),
  }),
  /** One label per line; the line's number, from 0, is the index in the output. */
  labels: z.object({ file: z.string(), sha256 }).optional(),
  /** What TensorFlow itself gave for each photo: one row per output as little-endian float32. */
  goldens: z
    .array(
      z.object({
        sha256,
        /** A JPEG; where the input is no string, one row of it as little-endian bytes, of the shape beside it. */
        photo: z.string(),
        shape: z.array(z.number().int()).optional(),
        /** Digest of the JPEG that the row was made of. */
        madeFrom: sha256.optional(),
        outputs: z.record(z.string(), z.object({ file: z.string(), sha256, shape: z.array(z.number().int()) })),
      }),
    )
    .min(1),
  tools: z.record(z.string(), z.string()),
});

/** See {@link ConvertedModelManifest}. */
export type ConvertedModelManifest = z.infer<typeof ConvertedModelManifest>;

/** Every file that a manifest names, with its digest. */
export function filesOf({ model, preprocess, labels, goldens }: ConvertedModelManifest): Map<string, string> {
  const files = [model, preprocess, preprocess?.sampling?.geometry, labels].filter((file) => file !== undefined);
  const rows = goldens.flatMap(({ photo, sha256, outputs }) => [{ file: photo, sha256 }, ...Object.values(outputs)]);
  return new Map([...files, ...rows].map(({ file, sha256 }) => [file, sha256]));
}

/** The file that a conversion writes last: where it is, the result is whole. Its digest is that of the converted model. */
export const CONVERTED_MANIFEST = 'manifest.json';

/**
 * How far rounding moves an output. Another CPU moves it by 4e-6 (measured), another JPEG decoder by 2e-2, a wrong model or
 * preprocessing by percents.
 */
export const ROUNDING = { absolute: 1e-4, relative: 1e-3 } as const;

/**
 * How far a value may be from what TensorFlow gave for it.
 *
 * @param tolerance the output's own, from the manifest
 */
export function allowedDifference(golden: number, tolerance = 0): number {
  return tolerance + ROUNDING.absolute + ROUNDING.relative * Math.abs(golden);
}

/** The labels of a converted model, from the content of its labels file: the line's number, from 0, is the index. */
export function parseLabels(file: Uint8Array): string[] {
  return new TextDecoder().decode(file).replace(/\n$/, '').split('\n');
}
