/** `5x5 test POLICY` */

import { testPolicy } from '../../src/analyze/policy-tests.ts'
import type { Finding, TestedAssertion } from '../../src/analyze/policy-tests.ts'
import { positionAt, textOf } from '../../src/diagnostics/source-file.ts'
import type { Sentence } from '../../src/policy/resolved.ts'
import { writeProbe } from '../../src/packet/write-packet.ts'
import { writePolicyTests } from '../../src/report/policy-tests-text.ts'
import { writeTrace } from '../../src/report/trace-text.ts'
import { sendChecked } from '../../src/simulate/journey-checked.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import { EXIT } from '../command.ts'
import type { Command, Terminal } from '../command.ts'
import { readBackend } from '../input.ts'
import { loadPolicy, printPolicyDiagnostics } from '../policy/load-policy.ts'
import { makeBench } from '../policy/test-bench.ts'
import type { Bench } from '../policy/test-bench.ts'

const help = `5x5 test proves the assertions of a policy, over all packets of both families.

usage: 5x5 test [flags] POLICY

  --topology FILE.yaml   devices, addresses, routes and sysctls of the firewall; without it its zones tell, and what was guessed is said
  --live FILE            other rules that are loaded there (docker's, say), as \`iptables-save\` prints them; may be given for each family
  --backend legacy|nft   which program loads the rules; default legacy
  --json                 print {"assertions": [{"test", "path", "line", "text", "result", ...}], "assumptions"}

An assertion is proved, or it fails: then one packet is shown with its way, the rule that decided, and the line of the
policy that the rule comes from. It cannot be told where something decides of which nothing is known, such as a match of
bytes in a \`raw\` rule. One that speaks of no packet at all says nothing, and is no comfort. What is limited is proved for
what stays within its limit. Rules that docker adds are taken to let everything pass, unless --live tells them.

examples:
  5x5 test gateway.gate
  5x5 test gateway.gate --topology gateway.yaml
  iptables-save | 5x5 test gateway.gate --live -

exit code: 0 all are proved, 1 some are not or the policy has errors, 2 the command line or a file cannot be read
`

/** The command. */
export const test: Command = {
  help,
  flags: { topology: { type: 'string' }, live: { type: 'string', multiple: true }, backend: { type: 'string' }, json: { type: 'boolean' } },
  async run(values, paths, terminal) {
    const backend = readBackend(values['backend']) ?? 'legacy'
    const sentences: Sentence[] = []
    const loaded = loadPolicy(paths, 'test', terminal.directory, sentence => sentences.push(sentence))
    printPolicyDiagnostics({ ...loaded, diagnostics: loaded.diagnostics.filter(({ severity }) => severity !== 'note') }, terminal)
    const { policy, compiled } = loaded
    if (!policy || !compiled) return EXIT.findings
    const bench = await makeBench({ policy: { ...policy, sentences }, compiled, values, backend, directory: terminal.directory })
    const tested = testPolicy(policy.assertions, bench)
    if (values['json']) terminal.out(`${JSON.stringify({ assertions: tested.map(jsonOf), assumptions: bench.topology.assumptions }, undefined, 2)}\n`)
    else print(tested, bench, terminal)
    return tested.length > 0 && tested.every(({ finding }) => finding.kind === 'holds') ? EXIT.clean : EXIT.findings
  },
}

function print(tested: readonly TestedAssertion[], bench: Bench, { out, paint }: Terminal): void {
  out(writePolicyTests(tested, finding => traceOf(finding, bench, paint), paint))
  const { assumptions } = bench.topology
  if (assumptions.length > 0) out(`\n  Assumed, since nobody told (--topology FILE.yaml does):\n${assumptions.map(words => `    ${paint('faint', words)}\n`).join('')}`)
}

/** The packet's way, as the simulator sees it. */
function traceOf({ probe, family }: Extract<Finding, { readonly probe: unknown }>, { rulesets, topology, backend }: Bench, paint: Terminal['paint']): string {
  const world = () => makeWorld({ topology, rulesets: [rulesets[family]], backend })
  const { journey, decisive, assumed } = sendChecked(world(), probe, { record: 'matches' }, world)
  const text = writeTrace({ journey, decisive, assumed, topology, packet: probe.packet, partial: rulesets[family].partial, all: false, tellsAnswer: false }, paint)
  return text.replace(/^(?=.)/gm, '    ')
}

function jsonOf({ assertion, finding }: TestedAssertion): object {
  const { test: name, span } = assertion
  return {
    test: name, path: span.source.path, line: positionAt(span.source, span.start).line, text: textOf(span), result: finding.kind,
    ...('probe' in finding ? { family: finding.family, packet: writeProbe(finding.probe), words: finding.words } : {}),
    ...(finding.kind === 'fails' && finding.by?.kind === 'rule' ? { by: { chain: finding.by.chain.name, rule: finding.by.number, line: positionAt(finding.by.rule.span.source, finding.by.rule.span.start).line } } : {}),
    ...(finding.kind === 'vacuous' ? { words: finding.why } : {}),
  }
}
