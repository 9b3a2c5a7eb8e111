import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { BlockBlobClient } from '@azure/storage-blob';
import { errorTailCharacters, errorTailLines, logUploadMs } from '../limits.js';

/** The end of a log, short enough for an error message. */
export async function lastLines(file: string): Promise<string> {
  if (!existsSync(file)) return '';
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  return lines.slice(-errorTailLines).join('\n').slice(-errorTailCharacters);
}

/** Keeps a blob in step with a log that grows. */
export class LogMirror {
  private uploadedSize = -1;
  private last: Promise<void> = Promise.resolve();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly file: string,
    private readonly blob: BlockBlobClient,
  ) {
    this.timer = setInterval(() => {
      // The next round, or close(), tries again.
      this.sync().catch(() => undefined);
    }, logUploadMs);
  }

  /** Uploads what is there now, and stops. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.sync();
  }

  private sync(): Promise<void> {
    this.last = this.last.catch(() => undefined).then(() => this.upload());
    return this.last;
  }

  private async upload(): Promise<void> {
    if (!existsSync(this.file)) return;
    const { size } = await stat(this.file);
    if (size === this.uploadedSize) return;
    await this.blob.upload(await readFile(this.file), size, { blobHTTPHeaders: { blobContentType: 'text/plain' } });
    this.uploadedSize = size;
  }
}
