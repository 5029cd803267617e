/** `--compose FILE` of commands that send packets: its flags and their help. What they mean is in compose-input.ts, which is loaded only where they are given. */

import type { Flags } from '../command.ts'

/** The flags by which a command takes a compose file. */
export const COMPOSE_FLAGS = { compose: { type: 'string' }, engine: { type: 'string' }, daemon: { type: 'string' } } as const satisfies Flags

/** Returns what is missing where a word stands for an address and nobody told its host: `HOST:80`, `web`; undefined for other words. */
export function helpForName(word: string): string | undefined {
  const [, name] = /^([A-Za-z][\w-]*)(?::\w+)?$/.exec(word) ?? []
  return name === undefined ? undefined : `\`${name}\` stands for an address where a host is given that has it: \`--compose FILE.yaml\` (services, containers, HOST) or \`--network FILE --pods FILE\` (pods, HOST)`
}

/** How a command's help tells them. */
export const COMPOSE_HELP = `  --compose FILE.yaml    the host that a compose file makes: rules and topology are those of dockerd (see 5x5 docker); RULES are
                         what the host had before; services, containers and HOST stand for addresses: \`> web:80\`
  --engine RELEASE, --daemon FILE   the release of the engine and its daemon.json, with --compose`
