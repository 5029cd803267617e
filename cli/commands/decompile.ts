/** `5x5 decompile RULES...` */

import { diffRulesets } from '../../src/analyze/diff.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import { comparable } from '../../src/policy/comparable.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import { decompileRules } from '../../src/policy/decompile.ts'
import type { Decompiled } from '../../src/policy/decompile.ts'
import { formatPolicy } from '../../src/policy/format-policy.ts'
import { resolvePolicy } from '../../src/policy/resolve.ts'
import { toRuleset } from '../../src/policy/to-ruleset.ts'
import { count } from '../../src/report/paint.ts'
import { guessFamily } from '../../src/save/family.ts'
import { readRuleset } from '../../src/save/read.ts'
import { refuseForeign, sayNotLoaded } from '../analysis/rulesets.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command } from '../command.ts'
import { readFamily, readSources } from '../input.ts'

const help = `5x5 decompile writes a policy that does what rulesets do.

usage: 5x5 decompile [flags] RULES [RULES]

  --family ipv4|ipv6   read the files as rules of this family; without it their content tells
  --raw                keep every rule in iptables' own words

RULES is what \`iptables-save\` or \`ip6tables-save\` prints; give both for a policy of both families: one that is not given
is dropped as a whole. The policy manages whole tables. Chains of filter that begin with what every policy begins with
(replies accepted, INVALID dropped, lo accepted) become sentences, as far as sentences can say them: accept or drop, by
device, address, protocol, port and limit. All other rules stay as they are, in \`raw\` lines; of those that stand first the last
line is asked first. Chains are called gate-NAME, long names are cut. Rules of docker or Kubernetes are better left out.

The policy is compiled and compared with the rules over all packets before it is printed; where sentences would mean
something else, the rules are kept in iptables' own words. The last line says what was proved.

examples:
  iptables-save | 5x5 decompile - > gateway.gate
  5x5 decompile rules.v4 rules.v6

exit code: 0 it is proved to mean the same, 1 it is not, 2 the command line or a file cannot be read
`

/** The command. */
export const decompile: Command = {
  help,
  flags: { family: { type: 'string' }, raw: { type: 'boolean' } },
  async run(values, paths, terminal) {
    if (paths.length === 0) throw commandError('which rules?', 'usage: 5x5 decompile RULES [RULES]')
    const family = readFamily(values['family'])
    const rulesets = readSources(paths, terminal.directory).map(source => {
      const { value, diagnostics } = readRuleset([source], { family: family ?? guessFamily([source]) })
      refuseForeign(diagnostics)
      sayNotLoaded(diagnostics, terminal)
      if (value.partial) throw commandError(`\`${source.path}\` was not understood as a whole`, '5x5 check shows where')
      return value
    })
    if (new Set(rulesets.map(one => one.family)).size < rulesets.length) throw commandError('two files have rules of the same family', 'give at most one for IPv4 and one for IPv6')
    const sentences = values['raw'] === true ? undefined : await judge(decompileRules(rulesets, 'sentences'), rulesets)
    const judged = sentences?.isProved === true ? sentences : await judge(decompileRules(rulesets, 'raw'), rulesets)
    terminal.out(judged.text)
    if (judged.lacking) terminal.err(`No ${NAMES[judged.lacking]} rules were given: the policy drops all ${NAMES[judged.lacking]}. Give what \`${judged.lacking === 'ipv4' ? 'iptables' : 'ip6tables'}-save\` prints too.\n`)
    terminal.err(`${count(judged.sentences, 'sentence')} and ${count(judged.raws, 'raw rule')}: ${judged.isProved ? 'proved to mean the same for all packets' : judged.doubt}.\n`)
    return judged.isProved ? EXIT.clean : EXIT.findings
  },
}

const NAMES = { ipv4: 'IPv4', ipv6: 'IPv6' } as const

interface Judged extends Decompiled {
  readonly isProved: boolean
  readonly doubt: string
}

/** Compiles the policy again and compares what comes out with the rules. */
async function judge(made: Decompiled, rulesets: readonly Ruleset[]): Promise<Judged> {
  const source = { path: 'decompiled.gate', text: made.text }
  const { text = made.text } = await formatPolicy(source)
  const { value, diagnostics } = resolvePolicy(source, () => ({ problem: 'a decompiled policy includes nothing' }))
  const compiled = value && compilePolicy(value)
  const error = [...diagnostics, ...(compiled?.diagnostics ?? [])].find(({ severity }) => severity === 'error')
  if (!value || !compiled || error) return { ...made, text, isProved: false, doubt: `it cannot be compiled: ${error?.message ?? 'it has errors'}` }
  const diffs = rulesets.map(before => diffRulesets({ before: comparable(before), after: comparable(toRuleset(compiled.rules[before.family], value.zones)) }))
  const isProved = diffs.every(({ groups, isWhole }) => isWhole && groups.length === 0)
  return { ...made, text, isProved, doubt: diffs.some(({ groups }) => groups.length > 0) ? 'some packets would be treated differently' : 'it was too big to be compared to the end' }
}
