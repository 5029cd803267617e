/** `5x5 optimise RULES...` */

import { writeIpsets } from '../../src/analyze/optimise/make-ipsets.ts'
import { optimiseRuleset, STEPS } from '../../src/analyze/optimise/optimise.ts'
import type { Optimised, StepName } from '../../src/analyze/optimise/optimise.ts'
import { eachRule } from '../../src/ir/ruleset.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import { optimiseJson, writeOptimised } from '../../src/report/optimise-text.ts'
import { writeRuleset } from '../../src/save/write.ts'
import { IPSET_FLAGS, IPSET_HELP, ipsetsOf, sayUnknownIpsets } from '../analysis/ipset-flags.ts'
import { readWholeRuleset } from '../analysis/rulesets.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command, FlagValues, Terminal } from '../command.ts'
import { readBackend, readFamily } from '../input.ts'
import { writeText } from '../write-file.ts'

const help = `5x5 optimise writes fewer rules with the same meaning, proved over all packets, and tells what it did.

usage: 5x5 optimise [flags] RULES...

  -o, --output FILE      write the rules to FILE (- is standard output), and ipsets that they need to FILE.ipset
  --only STEP            only these steps (drop, merge, ipset, order); may be given several times
  --ipset-threshold N    lists of so many rules and more become an ipset; default 24
${IPSET_HELP};
                         what is dropped or merged because of it stays right as long as the sets stay as they are
  --all                  show every step
  --backend legacy|nft   which program loads the rules; default legacy
  --family ipv4|ipv6     read the rules as rules of this family; without it their content tells
  --json                 print {"rules", "ipsets", "rulesBefore", "rulesAfter", "tables", "steps", "notTaken", "undecided"}

drop   rules that never match or change nothing, chains that no packet reaches, as 5x5 dead finds them
merge  rules that differ in ports, states or addresses only: multiport, a wider prefix, iprange
ipset  long lists of addresses: one rule, and a set as \`ipset restore\` takes it
order  rules that take many packets before rules that take few, by the counters of \`iptables-save -c\`

The same meaning is the same fate and the same headers for every packet, and the same packets in the same order for whatever
takes notice of them: log lines, marks, limits, recent lists, quotas, rules that only count. Counters are added up.

examples:
  iptables-save -c | 5x5 optimise - -o faster.rules
  5x5 optimise firewall.rules --only drop --only merge

exit code: 0 done, 2 the command line or a file cannot be read, or a line of the rules is not understood
`

/** As many rules as the linter takes for a long list. */
const THRESHOLD = 24

/** The command. */
export const optimise: Command = {
  help,
  flags: {
    ...IPSET_FLAGS, output: { type: 'string', short: 'o' }, only: { type: 'string', multiple: true }, 'ipset-threshold': { type: 'string' }, all: { type: 'boolean' }, backend: { type: 'string' }, family: { type: 'string' }, json: { type: 'boolean' },
  },
  async run(values, paths, terminal) {
    if (paths.length === 0) throw commandError('which rules?', 'usage: 5x5 optimise RULES...')
    const backend = readBackend(values['backend']) ?? 'legacy'
    const before = readWholeRuleset(paths, { family: readFamily(values['family']), backend, terminal }, 'the rules would not have the same meaning')
    const output = typeof values['output'] === 'string' ? values['output'] : undefined
    const ipsets = ipsetsOf(values, terminal.directory)
    sayUnknownIpsets([before], ipsets, terminal)
    const result = optimiseRuleset(before, { ipsets, steps: readSteps(values['only'], output === '-'), ipsetThreshold: readThreshold(values['ipset-threshold']), backend })
    const rules = writeRuleset(result.ruleset, { backend, tableOrder: 'file', counters: hasCounters(before) })
    const written = output === undefined || output === '-' ? [] : writeFiles(output, rules, result, terminal)
    if (values['json']) terminal.out(`${JSON.stringify(optimiseJson(result, before, rules), undefined, 2)}\n`)
    else if (output === '-') {
      terminal.out(rules)
      terminal.err(writeOptimised(result, before, { all: values['all'] === true, written: ['standard output'] }, terminal.paintErr))
    } else terminal.out(writeOptimised(result, before, { all: values['all'] === true, written }, terminal.paint))
    return EXIT.clean
  },
}

/** Standard output has room for one file: then no ipset is made. */
function readSteps(only: FlagValues[string], isPiped: boolean): ReadonlySet<StepName> {
  const wanted = Array.isArray(only) ? only.map(String) : []
  const unknown = wanted.find(name => !STEPS.some(step => step === name))
  if (unknown !== undefined) throw commandError(`there is no step \`${unknown}\``, `the steps are ${STEPS.map(step => `\`${step}\``).join(', ')}`)
  if (isPiped && wanted.includes('ipset')) throw commandError('ipsets need a file of their own', '-o FILE writes them to FILE.ipset')
  return new Set(STEPS.filter(step => (wanted.length === 0 || wanted.includes(step)) && !(isPiped && step === 'ipset')))
}

function readThreshold(value: unknown): number {
  if (value === undefined) return THRESHOLD
  const number = Number(value)
  if (!Number.isInteger(number) || number < 2) throw commandError(`\`--ipset-threshold ${String(value)}\` is not a whole number of 2 or more`)
  return number
}

function hasCounters(ruleset: Ruleset): boolean {
  let found = false
  eachRule(ruleset, ({ counters }) => (found ||= counters !== undefined))
  return found
}

function writeFiles(path: string, rules: string, { ipsets }: Optimised, { directory }: Terminal): readonly string[] {
  const files = [{ path, text: rules }, ...(ipsets.length > 0 ? [{ path: `${path}.ipset`, text: writeIpsets(ipsets) }] : [])]
  for (const file of files) writeText(file.path, file.text, directory)
  return files.map(file => file.path)
}
