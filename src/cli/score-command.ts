import { InvalidArgumentError, Option, type Command } from 'commander';
import { workspaceCommand, type Act } from './act.js';
import type { ScoreCommandOptions, ScoringUrl } from './commands/score.js';
import { count } from './count.js';

/** Port of a scoring service that its URL need not name. */
const DEFAULT_PORT = '8500';

/** Adds the command that scores photos. */
export function addScoreCommand(program: Command, act: Act): void {
  workspaceCommand(program, 'score <service> <photo...>', 'score photos (JPEG, PNG) with a live service')
    .option('--top <n>', 'so many classes, or boxes of a detector, for each photo (default: 5)', count)
    .option(
      '--url <url>',
      'where it answers: grpc://HOST:PORT, or grpcs://… for TLS (default: as it was deployed)',
      url,
    )
    .addOption(new Option('--address <host:port>', 'the same, with TLS where --ca or --cert is given').conflicts('url'))
    .option('--key <key>', 'scoring key (default: read from the cluster)')
    .option('--ca <file>', 'PEM of the authority of its certificate (default: read from the cluster)')
    .option('--server-name <name>', 'name in its certificate (default: the host of the URL)')
    .option('--cert <file>', 'PEM of a client’s certificate, for a service that asks for one')
    .option('--cert-key <file>', 'PEM of the key of that certificate')
    .option('--model <name>', 'name of the model, with --url (default: the service’s name)')
    .option('--json', 'print the scores as one JSON array')
    .action((service: string, photos: string[], options: ScoreCommandOptions, command: Command) => {
      if ((options.cert === undefined) !== (options.certKey === undefined)) {
        command.error("error: option '--cert <file>' and option '--cert-key <file>' belong together");
      }
      return act(async (terminal) => (await import('./commands/score.js')).score(service, photos, options, terminal));
    });
}

function url(text: string): ScoringUrl {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  const secured = parsed?.protocol === 'grpcs:';
  if (!parsed?.hostname || (!secured && parsed.protocol !== 'grpc:') || !['', '/'].includes(parsed.pathname)) {
    throw new InvalidArgumentError('It is grpc://HOST:PORT, or grpcs://HOST:PORT for TLS.');
  }
  return { address: `${parsed.hostname}:${parsed.port || DEFAULT_PORT}`, secured };
}
