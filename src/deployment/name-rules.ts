import { z } from 'zod';

/**
 * What Azure and Kubernetes take as names. The services refuse others only when they are asked to create something, which may
 * be minutes into a deployment; the messages are the rules, for people.
 *
 * Azure's rules: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
 */

/**
 * Kubernetes' rule for Services, RFC 1035 labels of at most 63 characters
 * (https://kubernetes.io/docs/concepts/overview/working-with-objects/names); 40 leave room for a release's suffix.
 */
export const serviceName = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/,
    'lower-case letters, digits and -, starting with a letter and ending with a letter or digit, at most 40 characters',
  );

/** Kubernetes' rule for Secrets: a DNS subdomain, RFC 1123. */
export const secretName = z
  .string()
  .max(253)
  .regex(
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
    'lower-case letters, digits, - and ., starting and ending with a letter or digit',
  );

/** Azure's rule for managed clusters (`Microsoft.ContainerService`, REST specification of 2026-05-01). */
export const clusterName = z
  .string()
  .regex(
    /^[a-zA-Z0-9]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?$/,
    'letters, digits, - and _, starting and ending with a letter or digit, at most 63 characters',
  );

/**
 * Azure ML's rule for models, `^[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}$` (`Microsoft.MachineLearningServices`, REST specification of
 * 2022-10-01), less five characters: the converted model is called the same with `-onnx` after it.
 */
export const modelName = z
  .string()
  .regex(
    /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,249}$/,
    'letters, digits, - and _, starting with a letter or digit, at most 250 characters',
  );

/** The address of a registered model as Azure ML writes it, with a name as {@link modelName} has it. */
export const registeredModel = z
  .string()
  .regex(
    /^azureml:[a-zA-Z0-9][a-zA-Z0-9_-]{0,249}(:[0-9]+|@latest)$/,
    'azureml:NAME:VERSION or azureml:NAME@latest, with a number as VERSION',
  );

/** Azure's rule for computes of a workspace: 3 to 24 characters for instances, 3 to 32 for clusters, 2 to 16 for others. */
export const computeName = z
  .string()
  .regex(
    /^[a-zA-Z]([a-zA-Z0-9-]{0,30}[a-zA-Z0-9])$/,
    'letters, digits and -, starting with a letter and ending with a letter or digit, 2 to 32 characters',
  );

/** Azure's programmatic names of regions, which hold no spaces. */
export const regionName = z
  .string()
  .regex(/^[a-z][a-z0-9]*$/, 'lower-case letters and digits, such as eastus or westeurope');

/** AKS takes a version with or without its patch: https://learn.microsoft.com/azure/aks/supported-kubernetes-versions */
export const kubernetesVersion = z
  .string()
  .regex(/^[0-9]+\.[0-9]+(\.[0-9]+)?$/, 'MAJOR.MINOR or MAJOR.MINOR.PATCH, such as 1.34');

/** Azure's rule for resource groups, in the letters that Slipway supports. */
export const resourceGroupName = z
  .string()
  .regex(
    /^[\p{L}\p{N}_().-]{0,89}[\p{L}\p{N}_()-]$/u,
    'letters, digits, -, _, (, ) and ., not ending with ., at most 90 characters',
  );

/** Azure ML's rule for workspaces. */
export const workspaceName = z
  .string()
  .regex(
    /^[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}$/,
    'letters, digits, - and _, starting with a letter or digit, 3 to 33 characters',
  );

/** What Slipway's own tags and properties begin with: a user's could hide whose a resource is. */
const OWN = /^(?!slipway-)/i;
const OWN_RULE = 'names that begin with slipway- are Slipway’s own';

/** Azure's rule for names of tags: https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources */
const tagName = z
  .string()
  .regex(
    /^(?!microsoft|azure|windows)[^<>%&\\?/]{1,512}$/i,
    'a tag’s name has 1 to 512 characters, none of < > % & \\ ? /, and does not begin with microsoft, azure or windows',
  )
  .regex(OWN, OWN_RULE);

/** Azure's rule for values of tags; see {@link tagName}. */
const tagValue = z.string().max(256, 'a tag’s value has at most 256 characters');

/** Most tags that Azure keeps on a resource, less the three that Slipway sets. */
const MOST_TAGS = 47;

/** Tags of a model, beside Slipway's own. */
export const tags = z
  .record(tagName, tagValue)
  .refine(
    (given) => Object.keys(given).length <= MOST_TAGS,
    `takes at most ${MOST_TAGS} tags: Azure keeps 50, Slipway sets 3`,
  );

/** Properties of a model, beside Slipway's own. */
export const properties = z.record(z.string().min(1).regex(OWN, OWN_RULE), z.string());
