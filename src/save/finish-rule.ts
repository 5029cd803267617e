/** The options of a rule, once all are read -> shared uses. Refuses what the rows do not allow together. */

import type { MatchUse, OptionUse, TargetUse } from '../ir/ruleset.ts'
import type { ExtensionTarget, UseNode } from './option-table.ts'
import { targetNames } from '../extensions/registry.ts'
import { refuseRule } from './rule-state.ts'
import { nameHelp } from './unknown-options.ts'
import type { OpenUse, ReadRule, RuleState } from './rule-state.ts'

/** Returns the rules that a line makes: one, or several where `-s a,b` names several addresses; none where it is refused. */
export function finishRules(state: RuleState): ReadRule[] {
  const matches = finishMatches(state)
  const target = finishTarget(state)
  if (!state.ok) return []
  return state.others.length === 0 ? [{ matches, target }] : severalRules(state, matches, target)
}

/** Returns the matches in an array of just their number: every rule keeps one. */
function finishMatches(state: RuleState): MatchUse[] {
  const { ip, matches, matchCount } = state
  const first = matches[0]
  const second = matches[1]
  if (ip.count > 0 && matchCount === 0) return [finishMatch(state, ip)]
  if (ip.count > 0 && matchCount === 1 && first) return [finishMatch(state, ip), finishMatch(state, first)]
  if (ip.count > 0 && matchCount === 2 && first && second) return [finishMatch(state, ip), finishMatch(state, first), finishMatch(state, second)]
  const all = matches.slice(0, matchCount).map(use => finishMatch(state, use))
  return ip.count > 0 ? [finishMatch(state, ip), ...all] : all
}

function finishTarget(state: RuleState): TargetUse | undefined {
  const { jump, target } = state
  if (!jump) return undefined
  if (target?.extension) return finishUse(state, target, makeTarget)
  if (!target?.unknown) return shareJump(state, jump)
  state.complain('unknown-extension', jump.word, `iptables 1.8.9 has no target \`${jump.chain}\``, { help: nameHelp(jump.chain, targetNames(state.vocabulary.family), 'what it does is left open') })
  return { kind: 'target', name: jump.chain, infos: {}, words: target.unknown }
}

function shareJump(state: RuleState, { kind, chain }: { kind: 'jump' | 'goto'; chain: string }): TargetUse {
  const known = kind === 'jump' ? state.vocabulary.jumps : state.vocabulary.gotos
  const use = known.get(chain)
  if (use) return use
  const made: TargetUse = { kind, chain }
  known.set(chain, made)
  return made
}

function finishMatch(state: RuleState, use: OpenUse): MatchUse {
  return use.extension ? finishUse(state, use, makeMatch) : { name: use.name, infos: {}, words: use.unknown ?? [] }
}

const makeMatch = (name: string, infos: Record<string, OptionUse>): MatchUse => ({ name, infos })
const makeTarget = (name: string, infos: Record<string, OptionUse>): ExtensionTarget => ({ kind: 'target', name, infos })

/**
 * Returns the use of a known extension; options that were all seen before lead to the one shared use. A use of an option seen for
 * the first time cannot exist yet and is not remembered: most such options are addresses that no second rule has.
 */
function finishUse<U extends MatchUse | ExtensionTarget>(state: RuleState, use: OpenUse, make: (name: string, infos: Record<string, OptionUse>) => U): U {
  const node = use.forgotten.length > 0 || (use.count > 1 && hasNew(use)) ? undefined : nodeOf(use)
  if (node?.use) return node.use as U
  const infos: Record<string, OptionUse> = {}
  for (let index = 0; index < use.count; index++) {
    const option = use.given[index]
    if (option) infos[option.written.name] = option.option
  }
  const made = make(use.name, infos)
  const isAllowed = isComplete(use, infos) || checkOptions(state, use, infos)
  if (node && isAllowed) node.use = made
  return made
}

function hasNew(use: OpenUse): boolean {
  for (let index = 0; index < use.count; index++) if (use.given[index]?.isNew) return true
  return false
}

function nodeOf(use: OpenUse): UseNode | undefined {
  let node: UseNode | undefined = use.count === 0 ? use.extension?.bare : use.given[0]
  for (let index = 1; node && index < use.count; index++) {
    const option = use.given[index]
    if (!option) break
    node.next ??= new Map()
    let next = node.next.get(option)
    if (!next) {
      next = { use: undefined, next: undefined }
      node.next.set(option, next)
    }
    node = next
  }
  return node
}

/** Tells of most uses quickly that nothing is missing: all required options are there, and nothing depends on other options. */
function isComplete({ extension, forgotten }: OpenUse, infos: Readonly<Record<string, OptionUse>>): boolean {
  if (!extension || extension.hasConditions || forgotten.length > 0) return false
  for (const name of extension.required) if (!infos[name]) return false
  return true
}

/** Checks required, excluded and accompanying options. */
function checkOptions(state: RuleState, use: OpenUse, infos: Readonly<Record<string, OptionUse>>): boolean {
  const definition = use.extension?.definition
  if (!definition) return true
  const said = definition.kind === 'match' ? `-m ${definition.name}` : `-j ${definition.name}`
  const missing = Object.entries(definition.options).find(([name, row]) => row.required && !infos[name])?.[0]
  if (missing !== undefined) refuseRule(state, 'missing-option', use.word, `\`${said}\` needs \`--${missing}\``)
  else if (definition.requiresOneOf && !definition.requiresOneOf.some(name => infos[name])) {
    refuseRule(state, 'missing-option', use.word, `\`${said}\` needs one of ${definition.requiresOneOf.map(name => `\`--${name}\``).join(', ')}`)
  }
  const given = [...use.given.slice(0, use.count), ...use.forgotten]
  const isGiven = (name: string): boolean => infos[name] !== undefined || use.forgotten.some(({ written }) => written.name === name)
  for (const { written } of given) {
    const clash = written.row.excludes?.find(isGiven)
    const lacking = written.row.requires?.find(other => !isGiven(other))
    if (clash !== undefined) {
      refuseRule(state, 'option-conflict', use.word, `\`--${written.name}\` and \`--${clash}\` cannot stand together`)
      return false
    }
    if (lacking !== undefined) refuseRule(state, 'missing-option', use.word, `\`--${written.name}\` needs \`--${lacking}\``)
  }
  return state.ok
}

/** Returns a rule for each combination of source and destination, in the order in which iptables makes them. */
function severalRules(state: RuleState, [ip, ...matches]: readonly MatchUse[], target: TargetUse | undefined): ReadRule[] {
  const infos = ip?.infos ?? {}
  if (infos['source']?.inverted || infos['destination']?.inverted) {
    refuseRule(state, 'not-invertible', 0, '`!` cannot stand beside several addresses', { help: 'write a rule for each' })
    return []
  }
  const choices = (name: string): readonly (OptionUse | undefined)[] => [infos[name], ...state.others.filter(option => option.written.name === name).map(option => option.option)]
  return choices('source').flatMap(source =>
    choices('destination').map(destination => ({
      matches: [{ name: 'ip', infos: { ...infos, ...(source ? { source } : {}), ...(destination ? { destination } : {}) } }, ...matches],
      target,
    })),
  )
}
