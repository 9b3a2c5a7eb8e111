/** An error as the blob service writes it. */
export function blobFaultBody(_status: number, code: string, message: string): { contentType: string; body: string } {
  const text = (value: string): string => value.replace(/[<>&]/g, (character) => `&#${character.charCodeAt(0)};`);
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${text(code)}</Code><Message>${text(message)}</Message></Error>`;
  return { contentType: 'application/xml', body };
}
