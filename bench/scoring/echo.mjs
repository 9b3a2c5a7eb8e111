// A bare server of @grpc/grpc-js: what the library itself takes, whatever is behind it.
import { Server, ServerCredentials } from '@grpc/grpc-js';

/** As many bytes as the answer of 1000 classes has. */
const ANSWER = Buffer.alloc(4100);

const asIs = (bytes) => bytes;
const server = new Server();
server.addService(
  {
    Echo: {
      path: '/echo/Echo',
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  },
  { Echo: (_call, callback) => callback(null, ANSWER) },
);
server.bindAsync(`127.0.0.1:${process.env.PORT}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
});
