/** `5x5 plan POLICY --live FILE` */

import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import type { Family } from '../../src/net/address.ts'
import type { CompiledPolicy } from '../../src/policy/compile.ts'
import { planChanges } from '../../src/policy/plan.ts'
import type { Plan } from '../../src/policy/plan.ts'
import { planIpsets } from '../../src/policy/plan-ipsets.ts'
import type { IpsetPlan } from '../../src/policy/plan-ipsets.ts'
import { writeIpsets } from '../../src/policy/write-restore.ts'
import { count } from '../../src/report/paint.ts'
import { writeDiagnostics } from '../../src/report/pretty.ts'
import { guessFamily } from '../../src/save/family.ts'
import { readRuleset } from '../../src/save/read.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command } from '../command.ts'
import { readFamily, readSources } from '../input.ts'
import { writeFolder } from '../write-file.ts'
import { loadPolicy, outputDirectory, printPolicyDiagnostics } from '../policy/load-policy.ts'

const help = `5x5 plan tells how to get from the rules that are loaded to those of a policy.

usage: 5x5 plan [flags] POLICY --live FILE [--live FILE]

  --live FILE          what \`iptables-save\` or \`ip6tables-save\` prints on the machine; give both for both families
  --live-ipsets FILE   what \`ipset save\` prints there; without it all ipsets of the policy are filled anew (-o, --json)
  --family ipv4|ipv6   read the files as rules of this family; without it their content tells
  -o, --output DIR     write DIR/plan.v4, DIR/plan.v6 and DIR/ipsets; without it the scripts are printed
  --json               print {"plans": [{"family", "changes", "script"}], "ipsets", "obsoleteIpsets"?}

The script is for \`iptables-restore --noflush\` (or \`ip6tables-restore --noflush\`) and loads at once or not at all. It
touches chains that begin with gate- and the rules that lead into them, and nothing else: docker's rules, those of
Kubernetes or fail2ban stay as they are, in their order. What is there already is left alone, counters and all, so that a
second plan after loading has nothing to do. Where the policy says \`option manage = all\`, load it without --noflush.

examples:
  iptables-save | 5x5 plan gateway.gate --live -
  iptables-save | 5x5 plan gateway.gate --live - | iptables-restore --noflush
  ipset save > sets; iptables-save | 5x5 plan gateway.gate --live - --live-ipsets sets -o plans
  5x5 plan gateway.gate --live live.v4 --live live.v6 -o plans

exit code: 0 nothing is to be done, 1 there is something to do or the policy has errors, 2 the command line or a file cannot be read
`

/** The command. */
export const plan: Command = {
  help,
  flags: { live: { type: 'string', multiple: true }, 'live-ipsets': { type: 'string' }, family: { type: 'string' }, output: { type: 'string', short: 'o' }, json: { type: 'boolean' } },
  async run(values, paths, terminal) {
    const family = readFamily(values['family'])
    const live = Array.isArray(values['live']) ? values['live'].map(String) : []
    if (live.length === 0) throw commandError('which live rules?', 'usage: 5x5 plan POLICY --live FILE, where FILE is what `iptables-save` prints')
    const loaded = loadPolicy(paths, 'plan', terminal.directory)
    printPolicyDiagnostics({ ...loaded, diagnostics: loaded.diagnostics.filter(({ severity }) => severity !== 'note') }, terminal)
    const { compiled } = loaded
    if (!compiled) return EXIT.findings
    const plans = readSources(live, terminal.directory).map(source => planFor(compiled, source, family ?? guessFamily([source])))
    const sets = plans.flatMap(one => compiled.rules[one.family].ipsets)
    const livePath = values['live-ipsets']
    const changed = typeof livePath === 'string' ? planIpsets(sets, readSources([livePath], terminal.directory)[0]?.text ?? '') : undefined
    const ipsets = changed ? changed.text : writeIpsets(sets)
    const output = outputDirectory(values['output'], terminal.directory)
    if (values['json']) terminal.out(`${JSON.stringify({ plans: plans.map(one => ({ family: one.family, changes: one.changes, script: one.text })), ipsets, ...(changed ? { obsoleteIpsets: changed.obsolete } : {}) }, undefined, 2)}\n`)
    else if (output !== undefined) writePlans({ plans, ipsets }, output, terminal.directory)
    else for (const one of plans) terminal.out(plans.length > 1 && one.text !== '' ? `# ${NAMES[one.family]}\n${one.text}` : one.text)
    if (changed) terminal.err(ipsetSentence(changed))
    for (const one of plans) terminal.err(sentence(one))
    return plans.some(({ text }) => text !== '') || (changed !== undefined && changed.text !== '') ? EXIT.findings : EXIT.clean
  },
}

const NAMES = { ipv4: 'IPv4', ipv6: 'IPv6' } as const

/** A live ruleset of which lines were not understood is no ground for a plan. */
function planFor({ rules }: CompiledPolicy, source: SourceFile, family: Family): Plan {
  const { value, diagnostics } = readRuleset([source], { family })
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  if (value.partial) throw commandError(`\`${source.path}\` was not understood as a whole`, writeDiagnostics(errors, (_style, text) => text).trimEnd())
  const made = planChanges(rules[family], value)
  const [missing] = made.missing
  if (missing) throw commandError(`the live rules have no chain \`${missing.chain}\` in table ${missing.table}, where a \`raw\` rule of the policy belongs`, 'load the rules that make it first')
  return made
}

function writePlans({ plans, ipsets }: { readonly plans: readonly Plan[]; readonly ipsets: string }, folder: string, directory: string): void {
  writeFolder(folder, [...plans.map(({ family, text }) => ({ name: `plan.${family === 'ipv4' ? 'v4' : 'v6'}`, text })), { name: 'ipsets', text: ipsets }], directory)
}

function ipsetSentence({ text, changes, obsolete }: IpsetPlan): string {
  const unused = obsolete.length === 0 ? '' : ` When the rules are loaded nothing asks ${obsolete.map(name => `\`${name}\``).join(', ')} any more: \`ipset destroy\` removes ${obsolete.length === 1 ? 'it' : 'them'}.`
  return `${text === '' ? 'ipsets: nothing is to be done, they are as the policy has them.' : `ipsets: ${count(changes, 'line')} to load first (-o and --json have them).`}${unused}\n`
}

function sentence({ family, changes, text }: Plan): string {
  return text === '' ? `${NAMES[family]}: nothing is to be done, the rules are loaded.\n` : `${NAMES[family]}: ${count(changes, 'line')} to load.\n`
}
