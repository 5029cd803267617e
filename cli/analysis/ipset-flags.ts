/** `--ipset FILE` of the commands about all packets: what is in the kernel sets that rules ask for. */

import { eachRule } from '../../src/ir/ruleset.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import { predicateOf } from '../../src/extensions/meaning-of.ts'
import type { Predicate } from '../../src/meaning/predicate.ts'
import { readIpsets } from '../../src/topology/ipset-text.ts'
import type { Ipset, Namespace } from '../../src/topology/topology.ts'
import { commandError } from '../command.ts'
import type { FlagValues, Terminal } from '../command.ts'
import { readSources } from '../input.ts'

/** The flag. */
export const IPSET_FLAGS = { ipset: { type: 'string', multiple: true } } as const

/** Its row in the help of a command. */
export const IPSET_HELP = '  --ipset FILE           what is in the sets that `-m set` asks for, as `ipset save` prints it; may be repeated;\n                         without it a set may have any address'

/** Returns the sets of the files of a flag. A file without any set is a `commandError`. */
export function ipsetsOf(values: FlagValues, directory: string, flag = 'ipset'): readonly Ipset[] {
  const paths = values[flag]
  return readSources(Array.isArray(paths) ? paths.map(String) : [], directory).flatMap(({ path, text }) => {
    const sets = readIpsets(text)
    if (sets.length === 0) throw commandError(`\`${path}\` has no ipset`, 'it should be what `ipset save` prints: `create NAME TYPE ...` and `add NAME ENTRY`')
    return sets
  })
}

/** Returns a namespace that has the sets too. */
export function withIpsets<Host extends Namespace | undefined>(namespace: Host, ipsets: readonly Ipset[]): Host {
  return namespace && { ...namespace, ipsets: [...namespace.ipsets, ...ipsets] }
}

/** Says which sets rules ask for that are in none of the files, where files were given. */
export function sayUnknownIpsets(rulesets: readonly Ruleset[], ipsets: readonly Ipset[], { err }: Pick<Terminal, 'err'>): void {
  if (ipsets.length === 0) return
  const known = new Set(ipsets.map(({ name }) => name))
  const missing = [...namesIn(rulesets)].filter(name => !known.has(name))
  if (missing.length > 0) err(`not known: what is in ${missing.length === 1 ? 'ipset' : 'ipsets'} ${missing.map(name => `\`${name}\``).join(', ')}: ${missing.length === 1 ? 'it' : 'they'} may have any address\n`)
}

function namesIn(rulesets: readonly Ruleset[]): ReadonlySet<string> {
  const names = new Set<string>()
  const visit = (predicate: Predicate): void => {
    if (predicate.kind === 'ipset') names.add(predicate.name)
    else if (predicate.kind === 'not') visit(predicate.of)
    else if (predicate.kind === 'all' || predicate.kind === 'any') predicate.of.forEach(visit)
  }
  for (const ruleset of rulesets) eachRule(ruleset, ({ matches }) => matches.forEach(use => (use.name === 'set' ? visit(predicateOf(use, ruleset.family)) : undefined)))
  return names
}
