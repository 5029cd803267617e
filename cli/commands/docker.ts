/** `5x5 docker COMPOSE` */

import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import { findSurprises } from '../../src/docker/findings.ts'
import type { HostReading } from '../../src/docker/read-host.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import { writeHost } from '../../src/report/docker-text.ts'
import { count } from '../../src/report/paint.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command, FlagValues, Terminal } from '../command.ts'
import { askInput } from '../docker/ask-input.ts'
import { dockerJson } from '../docker/docker-json.ts'
import { hostRules, readBase } from '../docker/host-rules.ts'
import type { HostRules } from '../docker/host-rules.ts'
import { engineNamed, readComposeHost, releasePair } from '../docker/read-compose.ts'
import { DOCKER_FILES } from '../docker/rule-files.ts'
import { readFamily } from '../input.ts'
import { printRules } from '../network/print-rules.ts'

const help = `5x5 docker writes the rules that dockerd would write for a compose file, without dockerd.

usage: 5x5 docker [flags] COMPOSE.yaml
       5x5 docker [flags] INSPECTED.json ...

  --engine RELEASE       which release of the engine: 20.10.24, 27.5.1, 28.0.0, 28.1, 29, ...; default 29
  --daemon FILE          the daemon.json of the engine; the keys \`x-docker:\` of the compose file come over it
  --base RULES           rules that the host had before (may be given twice, for IPv4 and IPv6): dockerd's are written into them
  -o, --output DIR       write DIR/${DOCKER_FILES.ipv4} and DIR/${DOCKER_FILES.ipv6} instead of printing them
  --family ipv4|ipv6     print the rules of one family only
  --explain              print networks, containers, published ports, and why every rule is there
  --diff-engines A B     tell what release B would do differently from release A, over all packets, with a packet for each reason
  --all                  show every finding, however many there are of a kind
  --json                 print {"engine", "flavor", "networks", "containers", "ports", "rules", "assumptions", "files"};
                         with --diff-engines {"ipv4": {"equal", "whole", "changes": [...]}, "ipv6": ...}

The rules are what \`iptables-save\` would show, in dockerd's order; IPv4 and IPv6 are for two programs: load each by itself.
INSPECTED is what \`docker network inspect\` and \`docker inspect CONTAINER ...\` print, in one or several files.
What is wrong with a file, and what its rules will surprise with, is told on standard error. Variables of the file come from
\`.env\` beside it.

examples:
  5x5 docker compose.yaml --family ipv4 | 5x5 explain -
  5x5 docker compose.yaml --engine 20.10 -o rules
  5x5 docker compose.yaml --diff-engines 27 29
  iptables-save > host.rules && 5x5 docker compose.yaml --base host.rules --explain

exit code: 0 no error and no warning (no difference), 1 some, 2 a file cannot be read
`

/** The command. */
export const docker: Command = {
  help,
  flags: {
    engine: { type: 'string' }, daemon: { type: 'string' }, base: { type: 'string', multiple: true }, output: { type: 'string', short: 'o' },
    'diff-engines': { type: 'string' }, family: { type: 'string' }, explain: { type: 'boolean' }, all: { type: 'boolean' }, json: { type: 'boolean' },
  },
  async run(values, words, terminal) {
    const given = textFlag(values, 'diff-engines')
    const pair = given === undefined ? undefined : releasePair(given, words)
    const [path, ...others] = pair?.words ?? words
    if (path === undefined) throw commandError('which compose file?', 'usage: 5x5 docker COMPOSE.yaml')
    const base = readBase(Array.isArray(values['base']) ? values['base'].map(String) : [], terminal.directory)
    const family = readFamily(values['family'])
    const daemon = textFlag(values, 'daemon')
    if (pair) return (await import('../docker/diff-engines.ts')).diffEngines({ path, releases: pair.releases, daemon, base, family, values }, terminal)
    const reading = readComposeHost({ path, others, engine: engineNamed(values['engine']), daemon, directory: terminal.directory })
    const rules = hostRules(reading.value, base).filter(one => family === undefined || one.family === family)
    const diagnostics = allFindings(reading, base)
    if (values['json'] === true) terminal.out(`${JSON.stringify(dockerJson(reading.value, rules, diagnostics), undefined, 2)}\n`)
    else print({ reading, rules, diagnostics, values }, terminal)
    if (diagnostics.some(({ code }) => code === 'bad-yaml')) return EXIT.usage
    return diagnostics.some(({ severity }) => severity !== 'note') ? EXIT.findings : EXIT.clean
  },
}

function textFlag(values: FlagValues, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}

/** What is worth saying of a host is said only where its description is sound. */
function allFindings({ value, plan, diagnostics }: HostReading, base: readonly Ruleset[]): readonly Diagnostic[] {
  if (diagnostics.some(({ severity }) => severity === 'error')) return diagnostics
  return [...diagnostics, ...findSurprises(value, plan, base.length === 0 ? undefined : askInput(value, base))]
}

function print({ reading, rules, diagnostics, values }: DockerJob, terminal: Terminal): void {
  const { value, ignored } = reading
  printRules({
    rules, diagnostics, ignored, values, isEmpty: value.sandboxes.length === 0, assumptions: value.assumptions,
    title: `engine ${value.engine.text}`,
    overview: writeHost(value, terminal.paint),
    summary: `of engine ${value.engine.text} for ${count(value.networks.length, 'network')}, ${count(value.sandboxes.length, 'container')} and ${count(publishedCount(reading), 'published port')}`,
  }, terminal)
}

interface DockerJob {
  readonly reading: HostReading
  readonly rules: readonly HostRules[]
  readonly diagnostics: readonly Diagnostic[]
  readonly values: FlagValues
}

function publishedCount({ value }: HostReading): number {
  return new Set(value.joins.flatMap(({ bindings }) => bindings.map(({ protocol, hostPort, request }) => `${protocol} ${hostPort} ${request.containerPort} ${request.span?.start}`))).size
}
