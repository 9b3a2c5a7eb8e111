import { createDeflate, createInflate, constants, type Deflate, type Inflate } from 'node:zlib';

/** What both ends begin to compress with: section 2.6.10.1 of the SPDY/3 draft. Each word comes after its length. */
const WORDS =
  'options,head,post,put,delete,trace,accept,accept-charset,accept-encoding,accept-language,accept-ranges,age,allow,' +
  'authorization,cache-control,connection,content-base,content-encoding,content-language,content-length,' +
  'content-location,content-md5,content-range,content-type,date,etag,expect,expires,from,host,if-match,' +
  'if-modified-since,if-none-match,if-range,if-unmodified-since,last-modified,location,max-forwards,pragma,' +
  'proxy-authenticate,proxy-authorization,range,referer,retry-after,server,te,trailer,transfer-encoding,upgrade,' +
  'user-agent,vary,via,warning,www-authenticate,method,get,status,200 OK,version,HTTP/1.1,url,public,set-cookie,' +
  'keep-alive,origin';
const TEXT =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505' +
  '203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden' +
  '404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable' +
  'Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT' +
  'chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,' +
  'publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.';

function lengthPrefixed(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const dictionary = Buffer.concat([...WORDS.split(',').map(lengthPrefixed), Buffer.from(TEXT)]);

/** Names are in lower case, as on the wire. */
export type Headers = Record<string, string>;

/**
 * Packs and unpacks the header blocks of one connection. Each direction is one compressed stream over all frames, so blocks have
 * to pass in the order of their frames, one at a time.
 */
export class HeaderCodec {
  private readonly deflate = createDeflate({ dictionary, flush: constants.Z_SYNC_FLUSH });
  private readonly inflate = createInflate({ dictionary, flush: constants.Z_SYNC_FLUSH });

  async pack(headers: Headers): Promise<Buffer> {
    const pairs = Object.entries(headers);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(pairs.length);
    return through(this.deflate, Buffer.concat([count, ...pairs.flat().map(lengthPrefixed)]));
  }

  /** @throws where the block is broken */
  async unpack(block: Buffer): Promise<Headers> {
    const bytes = await through(this.inflate, block);
    let at = 4;
    const text = () => {
      const end = at + 4 + bytes.readUInt32BE(at);
      const read = bytes.toString('utf8', at + 4, end);
      at = end;
      return read;
    };
    return Object.fromEntries(Array.from({ length: bytes.readUInt32BE() }, () => [text(), text()]));
  }

  close(): void {
    this.deflate.close();
    this.inflate.close();
  }
}

/** What a compressed stream makes of the next piece. */
function through(stream: Deflate | Inflate, piece: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    stream.once('error', reject);
    stream.write(piece, () => {
      stream.off('error', reject);
      // All of it is there when the write is done; a stream of bytes reads as a Buffer, and as null when it is empty.
      resolve((stream.read() as Buffer | null) ?? Buffer.alloc(0));
    });
  });
}
