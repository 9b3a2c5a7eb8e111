import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

import { packSignatures, predictionService, unpackSignatures } from '../../src/scoring/protos/services.js';

// Written by tensorflow-serving-api 2.21.0 for Python.
const OFFICIAL_REQUEST =
  '0a1b0a0474696e79120208031a0f73657276696e675f64656661756c74121c0a06696d616765731212080712041202080242036f6e65420374776f1a0c6f75747075745f616c696173';
const OFFICIAL_RESPONSE =
  '0a260a0c6f75747075745f616c69617312160801120812020801120208022a080000803e0000403f121b0a0474696e79120208031a0f73657276696e675f64656661756c74';

const request = {
  model_spec: { name: 'tiny', version: { value: 3 }, signature_name: 'serving_default' },
  inputs: {
    images: {
      dtype: 'DT_STRING',
      tensor_shape: { dim: [{ size: 2 }] },
      string_val: [Buffer.from('one'), Buffer.from('two')],
    },
  },
  output_filter: ['output_alias'],
};

describe('the protos', () => {
  it('are what descriptor.ts was compiled from', async () => {
    const script = fileURLToPath(new URL('../../scripts/compile-protos.mjs', import.meta.url));
    await promisify(execFile)(process.execPath, [script, '--check']);
  });

  it('write a request as the official client does', () => {
    expect(Buffer.from(predictionService.Predict.requestSerialize(request)).toString('hex')).toBe(OFFICIAL_REQUEST);
  });

  it('read a request of the official client, with a default for every field left out', () => {
    const read = predictionService.Predict.requestDeserialize(Buffer.from(OFFICIAL_REQUEST, 'hex'));
    expect(read).toMatchObject({ ...request, model_spec: { ...request.model_spec, version_choice: 'version' } });
    expect(read.inputs.images).toMatchObject({ tensor_content: Buffer.alloc(0), float_val: [] });
  });

  it('read a response of TensorFlow Serving', () => {
    const read = predictionService.Predict.responseDeserialize(Buffer.from(OFFICIAL_RESPONSE, 'hex'));
    expect(read.outputs.output_alias).toMatchObject({ dtype: 'DT_FLOAT', float_val: [0.25, 0.75] });
    expect(read.model_spec?.version?.value).toBe(3);
  });

  it('pack signatures so that they come out again', () => {
    const tensor = { name: 'x:0', dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: -1 }] } };
    const packed = packSignatures({ signature_def: { serving_default: { inputs: { x: tensor } } } });
    expect(packed.type_url).toBe('type.googleapis.com/tensorflow.serving.SignatureDefMap');
    expect(unpackSignatures(packed).signature_def.serving_default?.inputs.x).toMatchObject({
      name: 'x:0',
      tensor_shape: { dim: [{ size: -1 }] },
    });
    expect(() => unpackSignatures({ ...packed, type_url: 'type.googleapis.com/other' })).toThrow(TypeError);
  });
});
