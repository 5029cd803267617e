/** The options of a rule, once all are read -> shared uses. Refuses what the rows do not allow together. */

import type { MatchUse, OptionUse, TargetUse } from '../ir/ruleset.ts'
import type { Vocabulary } from './option-table.ts'
import { refuseRule } from './rule-state.ts'
import type { OpenUse, ReadRule, RuleState } from './rule-state.ts'

type ExtensionTarget = Extract<TargetUse, { kind: 'target' }>

/** Returns the rules that a line makes: one, or several where `-s a,b` names several addresses; none where it is refused. */
export function finishRules(state: RuleState): ReadRule[] {
  const matches = state.matches.map(use => finishUse(state, use))
  const target = finishTarget(state)
  const ips = finishIp(state)
  if (!state.ok) return []
  return ips.map(ip => ({ matches: ip ? [ip, ...matches] : matches, target }))
}

function finishTarget(state: RuleState): TargetUse | undefined {
  const { jump, target } = state
  if (!jump) return undefined
  if (!target || (!target.extension && target.unknown.length === 0)) return internJump(state.vocabulary, jump.kind, jump.chain)
  if (!target.extension) {
    state.complain('unknown-extension', jump.word, `target \`${jump.chain}\` is not known`, { severity: 'note', help: 'it is kept word for word; what it does is left open' })
    return { kind: 'target', name: jump.chain, infos: {}, words: target.unknown }
  }
  return intern(target, (name, infos): ExtensionTarget => ({ kind: 'target', name, infos }), state)
}

const jumps = new WeakMap<Vocabulary, Map<string, TargetUse>>()

function internJump(vocabulary: Vocabulary, kind: 'jump' | 'goto', chain: string): TargetUse {
  const known = jumps.get(vocabulary) ?? new Map<string, TargetUse>()
  jumps.set(vocabulary, known)
  const use = known.get(`${kind} ${chain}`) ?? { kind, chain }
  known.set(`${kind} ${chain}`, use)
  return use
}

function finishUse(state: RuleState, use: OpenUse): MatchUse {
  if (!use.extension) return { name: use.name, infos: {}, words: use.unknown }
  return intern(use, (name, infos): MatchUse => ({ name, infos }), state)
}

/** Returns the shared use of equal options, made by `make` when it is new. Refuses what its own rows do not allow. */
function intern<U extends { readonly infos: Readonly<Record<string, OptionUse>> }>(use: OpenUse, make: (name: string, infos: Record<string, OptionUse>) => U, state: RuleState): U {
  const uses = use.extension?.uses as Map<string, U>
  let key = ''
  for (const { option, inverted } of use.given) key += inverted ? `!${option.id},` : `${option.id},`
  const known = uses.get(key)
  if (known) return known
  const infos: Record<string, OptionUse> = {}
  for (const { option, inverted } of use.given) infos[option.option.name] = inverted ? option.inverted : option.plain
  const made = make(use.name, infos)
  if (checkOptions(state, use, infos)) uses.set(key, made)
  return made
}

/** Checks required, excluded and accompanying options. */
function checkOptions(state: RuleState, use: OpenUse, infos: Readonly<Record<string, OptionUse>>): boolean {
  const definition = use.extension?.definition
  if (!definition) return true
  const missing = Object.entries(definition.options).find(([name, row]) => row.required && !infos[name])?.[0]
  const oneOf = definition.requiresOneOf?.some(name => infos[name]) ?? true
  const said = definition.kind === 'match' ? `-m ${definition.name}` : `-j ${definition.name}`
  if (missing !== undefined) refuseRule(state, 'missing-option', use.word, `\`${said}\` needs \`--${missing}\``)
  else if (!oneOf) refuseRule(state, 'missing-option', use.word, `\`${said}\` needs one of ${definition.requiresOneOf?.map(name => `\`--${name}\``).join(', ')}`)
  for (const { option } of use.given) {
    const { name, row } = option.option
    const clash = row.excludes?.find(other => infos[other])
    const lacking = row.requires?.find(other => !infos[other])
    if (clash !== undefined) refuseRule(state, 'option-conflict', use.word, `\`--${name}\` and \`--${clash}\` cannot stand together`)
    if (lacking !== undefined) refuseRule(state, 'missing-option', use.word, `\`--${name}\` needs \`--${lacking}\``)
  }
  return state.ok
}

/** Returns the uses of ip: one for each combination of source and destination addresses, undefined where no option is given. */
function finishIp(state: RuleState): (MatchUse | undefined)[] {
  if (state.ip.given.length === 0) return [undefined]
  const use = intern(state.ip, (name, infos): MatchUse => ({ name, infos }), state)
  const sources = addressChoices(use.infos['source'])
  const destinations = addressChoices(use.infos['destination'])
  if (sources.length <= 1 && destinations.length <= 1) return [use]
  return choices(sources).flatMap(source => choices(destinations).map(destination => ({ name: 'ip', infos: { ...use.infos, ...(source ? { source } : {}), ...(destination ? { destination } : {}) } })))
}

function addressChoices(use: OptionUse | undefined): OptionUse[] {
  return use && Array.isArray(use.value) ? use.value.map(prefix => ({ value: [prefix], inverted: use.inverted })) : []
}

function choices(uses: readonly OptionUse[]): readonly (OptionUse | undefined)[] {
  return uses.length === 0 ? [undefined] : uses
}
