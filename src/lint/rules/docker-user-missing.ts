/** Rules of the user's own that docker's come before. */

import type { Chain, Rule } from '../../ir/ruleset.ts'
import { tableNamed } from '../../ir/ruleset.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { matchesAll, verdictOf } from '../rule-facts.ts'

/** Chains of docker releases that have DOCKER-USER. */
const DOCKER = /^DOCKER-(FORWARD|ISOLATION-STAGE-1)$/

export const dockerUserMissing: LintRule = {
  id: 'docker-user-missing',
  severity: 'warning',
  what: "rules of your own come after docker's",
  why: 'docker accepts what it publishes: what comes after its chains in FORWARD is not asked about containers any more',
  help: 'put them into DOCKER-USER, and `-A FORWARD -j DOCKER-USER` before the other rules of docker; the daemon does so when it starts',
  needs: ['whole', 'chains'],
  check(inputs, report) {
    const { ruleset, chains } = inputs
    const filter = tableNamed(ruleset, 'filter')
    const forward = filter?.chainByName.get('FORWARD')
    const docker = filter?.chains.find(chain => DOCKER.test(chain.name) && chain.rules.length > 0 && chains.hooksOf(chain).includes('FORWARD'))
    if (!filter || !forward || !docker) return
    const user = filter.chainByName.get('DOCKER-USER')
    const toDocker = forward.rules.findIndex(rule => leadsTo(rule, /^DOCKER-(?!USER)/))
    const toUser = forward.rules.findIndex(rule => leadsTo(rule, /^DOCKER-USER$/))
    const place = forward.rules[toDocker]
    if (!place) return
    const unasked = user && hasRules(user) && (toUser === -1 || toUser > toDocker) ? user.rules[0] : undefined
    if (unasked) report({ span: place.span, message: toUser === -1 ? 'nothing leads to DOCKER-USER' : "docker's rules come before DOCKER-USER", related: [{ span: unasked.span, message: 'this rule is not asked about what docker accepts' }] })
    const late = forward.rules.slice(toDocker + 1).find(rule => forbids(rule, inputs))
    if (late && toUser === -1) report({ span: late.span, message: "this rule comes after docker's: it does not keep anybody from containers", related: [{ span: place.span, message: "docker's rules come first" }] })
  },
}

function leadsTo({ target }: Rule, name: RegExp): boolean {
  return target !== undefined && target.kind !== 'target' && name.test(target.chain)
}

/** Something else than the RETURN that docker puts there. */
function hasRules({ rules }: Chain): boolean {
  return rules.some(({ target }) => target && !(target.kind === 'target' && target.name === 'RETURN'))
}

/** A rule that drops some packets; the last one, for all, is about other hosts too. */
function forbids(rule: Rule, { family }: LintInputs): boolean {
  return verdictOf(rule, family) === 'drop' && !matchesAll(rule, family)
}
