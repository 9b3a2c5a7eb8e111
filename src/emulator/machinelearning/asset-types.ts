import { z } from 'zod';
import { tagsSchema } from '../arm/body.js';

/** What every versioned asset has. */
const common = {
  description: z.string().nullish(),
  tags: tagsSchema.nullish(),
  properties: tagsSchema.nullish(),
  isArchived: z.boolean().default(false),
  isAnonymous: z.boolean().default(false),
};

/** One type of versioned asset. Anonymous fields of newer api-versions are kept as they come. */
export interface AssetType {
  /** Segment of the path. */
  readonly path: 'models' | 'environments' | 'codes';
  /** Kind of a container in inventory and journal, where it is one. */
  readonly containerKind: string;
  readonly versionKind: string;
  readonly version: z.ZodType<AssetProperties>;
  /** What a version may never change. */
  readonly immutable: readonly string[];
}

export interface AssetProperties {
  [field: string]: unknown;
  description?: string | null | undefined;
  tags?: Record<string, string> | null | undefined;
  properties?: Record<string, string> | null | undefined;
  isArchived: boolean;
  isAnonymous: boolean;
}

export const assetTypes: readonly AssetType[] = [
  {
    path: 'models',
    containerKind: 'model-container',
    versionKind: 'model-version',
    version: z.looseObject({ ...common, modelUri: z.string().min(1), modelType: z.string().default('custom_model') }),
    immutable: ['modelUri', 'modelType'],
  },
  {
    path: 'environments',
    containerKind: 'environment-container',
    versionKind: 'environment',
    version: z.looseObject({
      ...common,
      image: z.string().min(1),
      condaFile: z.string().optional(),
      osType: z.string().default('Linux'),
    }),
    immutable: ['image', 'condaFile', 'osType'],
  },
  {
    path: 'codes',
    containerKind: 'code-container',
    versionKind: 'code',
    version: z.looseObject({ ...common, codeUri: z.string().min(1) }),
    immutable: ['codeUri'],
  },
];

/** A container's own properties. */
export const containerSchema = z.looseObject({
  description: z.string().nullish(),
  tags: tagsSchema.nullish(),
  properties: tagsSchema.nullish(),
  isArchived: z.boolean().default(false),
});
