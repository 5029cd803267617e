/** What commands that speak of all packets read: one ruleset, and the namespace that it is for. */

import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import { lineOf } from '../../src/diagnostics/source-file.ts'
import { checkRuleset } from '../../src/extensions/check-ruleset.ts'
import type { Backend } from '../../src/ir/hooks.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { Family } from '../../src/net/address.ts'
import { count, plain } from '../../src/report/paint.ts'
import { writeDiagnostics } from '../../src/report/pretty.ts'
import { guessFamily } from '../../src/save/family.ts'
import { readRuleset } from '../../src/save/read.ts'
import type { ReadResult } from '../../src/save/read.ts'
import { misspeltDevice } from '../../src/topology/assumed.ts'
import { readHints } from '../../src/topology/rule-hints.ts'
import type { Namespace } from '../../src/topology/topology.ts'
import { commandError } from '../command.ts'
import type { Terminal } from '../command.ts'
import { readSources, withShortPaths } from '../input.ts'
import { refuseForTopology } from '../wrong-file.ts'

/** How rules are read; a family that is not given is told by their content. */
export interface RulesetInput {
  readonly family: Family | undefined
  /** What the question is about, where nobody names a family: rules of the other one do not answer it. */
  readonly asked?: Family | undefined
  readonly backend: Backend
  readonly terminal: Pick<Terminal, 'directory' | 'err' | 'paintErr'>
}

/** Returns the ruleset of some files, loaded one after the other. A loop of chains, which no kernel loads, is a `commandError`. */
export function readOneRuleset(paths: readonly string[], input: RulesetInput): Ruleset {
  return readRules(paths, input).value
}

/** Returns the ruleset of some files; a line that cannot be read is a `commandError` that `why` tells the reason of. */
export function readWholeRuleset(paths: readonly string[], input: RulesetInput, why: string): Ruleset {
  const { value, diagnostics } = readRules(paths, input)
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  if (value.partial) throw commandError(`${errors.length > 1 ? `${errors.length} lines cannot be read` : 'a line cannot be read'}, and without ${errors.length > 1 ? 'them' : 'it'} ${why}`, `${writeDiagnostics(errors.slice(0, 3), plain)}${errors.length > 3 ? '\n5x5 check shows all\n' : ''}`.trimEnd())
  return value
}

function readRules(paths: readonly string[], { family, asked, backend, terminal }: RulesetInput): ReadResult {
  const sources = withShortPaths(readSources(paths, terminal.directory))
  const { value, diagnostics } = readRuleset(sources, { family: family ?? asked ?? guessFamily(sources), backend })
  refuseForeign(diagnostics)
  sayNotLoaded(diagnostics, terminal)
  if (family === undefined && asked !== undefined && value.partial && guessFamily(sources) !== asked) throw commandError(`the question is about ${NAMES[asked]}, and the rules are ${NAMES[guessFamily(sources)]}`, `\`--family ${asked}\` reads them as ${NAMES[asked]} rules`)
  const all = [...diagnostics, ...checkRuleset(value, { backend })]
  const loop = all.find(({ code }) => code === 'chain-loop')
  if (loop) throw commandError(`the rules cannot be loaded: ${loop.message}`, '5x5 check shows where')
  if (!value.partial) sayRefused(all, backend, terminal)
  return { value, diagnostics }
}

const NAMES = { ipv4: 'IPv4', ipv6: 'IPv6' } as const

/** Says of rulesets without any table that they have none: what is printed by a program without the right to read the rules is empty too. */
export function sayEmpty(rulesets: readonly Ruleset[], paths: readonly string[], { err, paintErr }: Pick<Terminal, 'err' | 'paintErr'>): void {
  if (paths.length === 0 || rulesets.some(({ tables, partial }) => tables.length > 0 || partial)) return
  err(`${paintErr('warning', 'warning')}: there is no table and no rule in ${paths.map(path => (path === '-' ? 'standard input' : `\`${path}\``)).join(', ')}: without rules everything is let through (only root is told the rules of a machine)\n`)
}

/** Says which rules stand in a text and are not loaded, those of a table that begins again after them; returns how many such tables there are. */
export function sayNotLoaded(diagnostics: readonly Diagnostic[], { err, paintErr }: Pick<Terminal, 'err' | 'paintErr'>): number {
  const repeated = diagnostics.filter(({ code }) => code === 'repeated-table')
  for (const { message, span } of repeated) err(`${paintErr('warning', 'warning')}: ${span.source.path}:${lineOf(span)}: ${message}; \`iptables-restore --noflush\` would keep them\n`)
  return repeated.length
}

/** Says that loading would refuse the rules: what is told of them is told as if it did not. */
export function sayRefused(diagnostics: readonly Diagnostic[], backend: Backend, { err, paintErr }: Pick<Terminal, 'err' | 'paintErr'>): void {
  const errors = diagnostics.filter(({ severity, backend: only }) => severity === 'error' && (only ?? backend) === backend)
  const paths = [...new Set(errors.map(({ span }) => `\`${span.source.path}\``))]
  if (errors.length > 0) err(`${paintErr('warning', 'warning')}: loading would refuse ${paths.join(' and ')}: ${count(errors.length, 'error')} (5x5 check shows ${errors.length === 1 ? 'it' : 'them'})\n`)
}

/** Refuses what is no ruleset: an answer that is true of no rules at all would be taken for one about those of the file. */
export function refuseForeign(diagnostics: readonly Diagnostic[]): void {
  const foreign = diagnostics.find(({ code }) => code === 'not-a-ruleset')
  if (foreign) throw commandError(`\`${foreign.span.source.path}\`: ${foreign.message}`, foreign.help)
}

/** Returns the first namespace of a topology file; undefined where none is given. */
export async function namespaceOf(path: unknown, directory: string): Promise<Namespace | undefined> {
  if (typeof path !== 'string') return undefined
  const { readTopology } = await import('../../src/topology/load.ts')
  const [source] = readSources([path], directory)
  if (source) refuseForTopology(source)
  const { value, diagnostics } = readTopology(source ?? { path, text: '' })
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw commandError(`the topology \`${path}\` cannot be used`, writeDiagnostics(errors, plain).trimEnd())
  return value.namespaces[0]
}

/** Returns a sentence for every device that is misspelt, as the rules have it. */
export function misspeltDevices(devices: readonly string[], ruleset: Ruleset): readonly string[] {
  const { devices: named } = readHints([ruleset])
  return devices.flatMap(device => misspeltDevice(device, named) ?? [])
}
