/** `5x5 compile POLICY` */

import { countRules } from '../../src/policy/compiled.ts'
import type { CompiledRules } from '../../src/policy/compiled.ts'
import type { CompiledPolicy } from '../../src/policy/compile.ts'
import { writeIpsets, writeRestore } from '../../src/policy/write-restore.ts'
import { jsonReport } from '../../src/report/json.ts'
import { count } from '../../src/report/paint.ts'
import { EXIT } from '../command.ts'
import type { Command, Terminal } from '../command.ts'
import { readFamily } from '../input.ts'
import { writeFolder } from '../write-file.ts'
import { loadPolicy, outputDirectory, printPolicyDiagnostics } from '../policy/load-policy.ts'

const help = `5x5 compile turns a policy into rules for iptables and ip6tables.

usage: 5x5 compile [flags] POLICY

  -o, --output DIR     write DIR/rules.v4, DIR/rules.v6 and DIR/ipsets; without it they are printed
  --family ipv4|ipv6   print the rules of this family only
  --json               print {"rules": {"ipv4", "ipv6"}, "ipsets", "counts", "files": [{"path", "diagnostics"}]}

Load them in this order, once, after docker has started where a zone is docker's:
  ipset restore < DIR/ipsets
  iptables-restore --noflush < DIR/rules.v4
  ip6tables-restore --noflush < DIR/rules.v6
Later changes go through \`5x5 plan\`, which does not double what is there. Where the policy says \`option manage = all\`
the files are whole tables: load them without --noflush.
All chains begin with gate-; the comment of every rule says which line of the policy it comes from, and why.

examples:
  5x5 compile gateway.gate
  5x5 compile gateway.gate -o /etc/iptables
  5x5 compile gateway.gate --family ipv4 | iptables-restore --noflush

exit code: 0 compiled, 1 the policy has errors, 2 the command line or a file cannot be read
`

/** The command. */
export const compile: Command = {
  help,
  flags: { output: { type: 'string', short: 'o' }, family: { type: 'string' }, json: { type: 'boolean' } },
  async run(values, paths, terminal) {
    const family = readFamily(values['family'])
    const loaded = loadPolicy(paths, 'compile', terminal.directory)
    const { compiled, diagnostics, sources } = loaded
    if (values['json']) {
      const files = jsonReport([{ sources, partial: !compiled, diagnostics }]).files
      terminal.out(`${JSON.stringify({ ...(compiled ? jsonRules(compiled) : {}), files }, undefined, 2)}\n`)
      return compiled ? EXIT.clean : EXIT.findings
    }
    printPolicyDiagnostics(loaded, terminal)
    if (!compiled) return EXIT.findings
    const output = outputDirectory(values['output'], terminal.directory)
    if (output === undefined) print(compiled, family, terminal)
    else writeFiles(compiled, output, terminal)
    return EXIT.clean
  },
}

function jsonRules({ rules }: CompiledPolicy): object {
  return {
    rules: { ipv4: writeRestore(rules.ipv4), ipv6: writeRestore(rules.ipv6) },
    ipsets: writeIpsets([...rules.ipv4.ipsets, ...rules.ipv6.ipsets]),
    counts: { ipv4: countRules(rules.ipv4), ipv6: countRules(rules.ipv6) },
  }
}

function print({ rules }: CompiledPolicy, family: 'ipv4' | 'ipv6' | undefined, { out }: Terminal): void {
  const ipsets = [...rules.ipv4.ipsets, ...rules.ipv6.ipsets].filter(set => family === undefined || set.family === family)
  if (family !== undefined) return out(`${ipsets.length > 0 ? `# needs the sets that \`5x5 compile -o DIR\` writes: ${ipsets.map(({ name }) => name).join(' ')}\n` : ''}${writeRestore(rules[family])}`)
  if (ipsets.length > 0) out(`# ipset restore\n${writeIpsets(ipsets)}\n`)
  out(`# iptables-restore${flagOf(rules.ipv4)}: ${count(countRules(rules.ipv4), 'rule')}\n${writeRestore(rules.ipv4)}\n`)
  out(`# ip6tables-restore${flagOf(rules.ipv6)}: ${count(countRules(rules.ipv6), 'rule')}\n${writeRestore(rules.ipv6)}`)
}

function flagOf({ managesAll }: CompiledRules): string {
  return managesAll ? '' : ' --noflush'
}

function writeFiles({ rules }: CompiledPolicy, directory: string, { out, directory: here }: Terminal): void {
  const ipsets = [...rules.ipv4.ipsets, ...rules.ipv6.ipsets]
  const files = [{ name: 'rules.v4', text: writeRestore(rules.ipv4) }, { name: 'rules.v6', text: writeRestore(rules.ipv6) }, { name: 'ipsets', text: writeIpsets(ipsets) }]
  writeFolder(directory, files, here)
  out(`Wrote ${count(countRules(rules.ipv4), 'rule')} for IPv4, ${count(countRules(rules.ipv6), 'rule')} for IPv6 and ${count(ipsets.length, 'ipset')} to ${directory}.\n`)
}
