/** Files that are given to the wrong command, or for the wrong flag: read as something else, every line of theirs would be a finding. */

import type { SourceFile } from '../src/diagnostics/source-file.ts'
import { commandError } from './command.ts'

const RULESET = /^\*(?:filter|nat|mangle|raw|security)[ \t\r]*$/m
const COMPOSE = /^services:/m
const TOPOLOGY = /^(?:namespaces|devices):/m

/** Refuses rulesets where something else is wanted (`a policy`). */
export function refuseRulesets(sources: readonly SourceFile[], wanted: string, help: string): void {
  const ruleset = sources.find(({ text }) => RULESET.test(text))
  if (ruleset) throw commandError(`\`${ruleset.path}\` is a ruleset, not ${wanted}`, help)
}

/** Refuses what is given for a policy and is something else. */
export function refuseForPolicy(source: SourceFile): void {
  refuseRulesets([source], 'a policy', '`5x5 check` and `5x5 explain` read rulesets, `5x5 decompile` makes a policy of one')
  const other = COMPOSE.test(source.text) ? 'a compose file' : TOPOLOGY.test(source.text) ? 'a topology' : undefined
  if (other) throw commandError(`\`${source.path}\` is ${other}, not a policy`, 'a policy has sentences such as `allow ssh from admins to fw`; grammar/README.md tells them')
}

/** Refuses what is given for a topology and is a compose file or a ruleset. */
export function refuseForTopology(source: SourceFile): void {
  refuseRulesets([source], 'a topology', 'rules are given without a flag; a topology has `devices:`, and below it `eth0: 192.0.2.1/24`')
  if (COMPOSE.test(source.text) && !TOPOLOGY.test(source.text)) {
    throw commandError(`\`${source.path}\` is a compose file, not a topology`, `\`5x5 trace\` and \`5x5 reach\` make its host with \`--compose ${source.path}\`; \`5x5 docker\` writes the rules of that host`)
  }
}

/** Refuses what is given for a compose file and is a topology or a ruleset. */
export function refuseForCompose(sources: readonly SourceFile[]): void {
  refuseRulesets(sources, 'a compose file', 'rules that the host had before are given with `--base` to `5x5 docker`, without a flag where `--compose` is')
  const topology = sources.find(({ text }) => TOPOLOGY.test(text) && !COMPOSE.test(text))
  if (topology) throw commandError(`\`${topology.path}\` is a topology, not a compose file`, `\`--topology ${topology.path}\` takes it`)
}
