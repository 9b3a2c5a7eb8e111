import type { ConversionInput, DeploymentActivities, ModelVersion } from '../deployment/activities.js';
import type { ClusterInput } from '../deployment/input.js';
import { beginAgain } from './begin-again.js';
import type { Saga } from './saga.js';

/** The convert step: a job, unless an equal conversion has left its result, and the result registered as a model. */
export async function convert(
  activities: DeploymentActivities,
  saga: Saga,
  input: ConversionInput & { cluster: ClusterInput },
): Promise<{ converted: ModelVersion; reused: boolean }> {
  const conversion = await beginAgain(async (attempt) => {
    const begun = await saga.doing('job', () => activities.beginConversion({ ...input, attempt }));
    if (begun.jobName !== null) await activities.awaitConversion({ identity: input.identity, jobName: begun.jobName });
    return begun;
  });
  const converted = await saga.doing('converted-model', () =>
    activities.registerConvertedModel({ ...input, conversion }),
  );
  return { converted, reused: conversion.jobName === null };
}
