// Asks the local Azure at the address that its `endpoints.env` names whether it is healthy.
import { readFileSync } from 'node:fs';
import { get } from 'node:https';

const { SLIPWAY_AZURE_ENDPOINT: endpoint, SLIPWAY_AZURE_CA: ca } = process.env;

/** Longest wait for an answer, in milliseconds. */
const ANSWER_WITHIN_MS = 3_000;

get(`${endpoint}/healthz`, { ca: readFileSync(ca), timeout: ANSWER_WITHIN_MS }, (answer) => {
  process.exitCode = answer.statusCode === 200 ? 0 : 1;
  answer.pipe(process.stdout);
})
  .on('timeout', function () {
    this.destroy(new Error(`${endpoint} did not answer within ${ANSWER_WITHIN_MS} ms`));
  })
  .on('error', (error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
