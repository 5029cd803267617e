/** Whether a match or target may stand where it stands: tables, hooks, protocols and the definition's own check. */

import type { Diagnostic, DiagnosticCode, RelatedPlace } from '../diagnostics/diagnostic.ts'
import { pathFrom, ruleOf } from '../ir/chain-graph.ts'
import type { ChainGraph } from '../ir/chain-graph.ts'
import type { Backend, Hook } from '../ir/hooks.ts'
import type { Chain, MatchUse, Rule, TargetUse } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { protocolInWords } from '../net/protocol.ts'
import type { ExtensionDefinition, Surroundings } from './extension.ts'
import { matchDefinition, targetDefinition } from './registry.ts'
import { placeOfMatch, placeOfTarget } from './word-place.ts'

/** A chain with what a backend's kernel knows when it checks the chain's rules. */
export interface CheckedChain {
  readonly chain: Chain
  readonly graph: ChainGraph
  readonly backend: Backend
  readonly family: Family
  /** Rules from this index on are looked at by nobody: ip_tables stops at a rule that decides everything. */
  readonly end: number
}

type Use = MatchUse | Extract<TargetUse, { kind: 'target' }>

/** Returns the refusals of one use. `hooks` are those from which the rule is reached. */
export function checkUse(use: Use, rule: Rule, hooks: readonly Hook[], checked: CheckedChain): Diagnostic[] {
  const { chain, family } = checked
  const definition = 'kind' in use ? targetDefinition(use.name, family) : matchDefinition(use.name, family)
  if (!definition || use.words) return []
  const misplaced: DiagnosticCode = definition.kind === 'match' ? 'misplaced-match' : 'misplaced-target'
  if (!definition.tables && !definition.hooks && !definition.protocols && !definition.check) return []
  const what = `${definition.kind} \`${use.name}\``
  const refuse = (code: DiagnosticCode, message: string, help?: string, related: readonly RelatedPlace[] = []): Diagnostic[] => [
    { code, severity: 'error', message, span: definition.kind === 'match' ? placeOfMatch(rule, definition, use.name) : placeOfTarget(rule), related, ...(help === undefined ? {} : { help }) },
  ]
  if (definition.tables && !definition.tables.includes(chain.table)) return refuse(misplaced, `${what} cannot stand in table ${chain.table}`, `it works in ${inTables(definition.tables)}`)
  const wrong = definition.hooks && hooks.find(hook => !definition.hooks?.includes(hook))
  if (definition.hooks && wrong) return refuse(misplaced, `${what} cannot stand in ${chain.hook ?? `a chain that ${wrong} reaches`}`, `it works in ${definition.hooks.join(', ')}`, jumpsTo(wrong, checked))
  return checkProtocol(use, definition, rule, checked, refuse) ?? checkOwn(use, definition, rule, hooks, checked, refuse, misplaced)
}

type Refuse = (code: DiagnosticCode, message: string, help?: string) => Diagnostic[]

function checkProtocol(use: Use, definition: ExtensionDefinition, rule: Rule, { backend }: CheckedChain, refuse: Refuse): Diagnostic[] | undefined {
  const { protocols } = definition
  if (!protocols) return undefined
  const given = protocolOf(rule)
  const isRight = given !== undefined && protocols.includes(given.number)
  // Kernel: what iptables-nft writes as expressions of its own is not seen by the kernel's check of `-p`.
  const isUnseen = backend === 'nft' && definition.kind === 'match' && definition.isNativeInNft?.(use.infos)
  if (isRight && (!given.inverted || isUnseen)) return undefined
  const wanted = protocols.map(number => `\`-p ${protocolInWords(number)}\``).join(' or ')
  const said = given && `\`${given.inverted ? '! ' : ''}-p ${protocolInWords(given.number)}\``
  return refuse('protocol-needed', said === undefined ? `${definition.kind} \`${definition.name}\` needs ${wanted}` : `${definition.kind} \`${definition.name}\` needs ${wanted}, and the rule has ${said}`)
}

function checkOwn(use: Use, definition: ExtensionDefinition, rule: Rule, hooks: readonly Hook[], checked: CheckedChain, refuse: Refuse, misplaced: DiagnosticCode): Diagnostic[] {
  const { chain, family, backend } = checked
  const known = backend === 'legacy' ? hooks : chain.hook === undefined ? [] : [chain.hook]
  const around: Surroundings = { family, table: chain.table, backend, hooks: known, protocol: protocolOf(rule), matches: rule.matches }
  const problem = definition.check?.(use.infos, around)
  return problem === undefined ? [] : refuse(/`-p\b/.test(problem) ? 'protocol-needed' : misplaced, problem)
}

/** Returns what `-p` says; undefined where it is not given or means every protocol. */
function protocolOf(rule: Rule): { readonly number: number; readonly inverted: boolean } | undefined {
  const use = rule.matches.find(match => match.name === 'ip')?.infos['protocol']
  return use && use.value !== 0 ? { number: Number(use.value), inverted: use.inverted } : undefined
}

function jumpsTo(hook: Hook, { chain, graph }: CheckedChain): RelatedPlace[] {
  return pathFrom(graph, hook, chain).map(jump => ({ span: ruleOf(jump).span, message: `${jump.from.name} leads to \`${jump.to.name}\` here` }))
}

function inTables(tables: readonly string[]): string {
  return tables.length === 1 ? `table ${tables[0]} only` : `tables ${tables.join(', ')}`
}
