/** Docker's own chains without, or before, the chain that it leaves to the user. */

import type { Chain, Rule } from '../../ir/ruleset.ts'
import { tableNamed } from '../../ir/ruleset.ts'
import type { LintRule } from '../lint-rule.ts'

/** Chains of docker releases that have DOCKER-USER. */
const DOCKER = /^DOCKER-(FORWARD|ISOLATION-STAGE-1)$/

export const dockerUserMissing: LintRule = {
  id: 'docker-user-missing',
  severity: 'warning',
  what: "docker's rules come before DOCKER-USER, or without it",
  why: 'docker accepts what it publishes; rules of your own count only in DOCKER-USER, and only where FORWARD leads there first',
  help: 'put `-A FORWARD -j DOCKER-USER` before the other rules of docker; the daemon does so when it starts',
  needs: ['whole', 'chains'],
  check({ ruleset, chains }, report) {
    const filter = tableNamed(ruleset, 'filter')
    const forward = filter?.chainByName.get('FORWARD')
    const docker = filter?.chains.find(chain => DOCKER.test(chain.name) && chain.rules.length > 0 && chains.hooksOf(chain).includes('FORWARD'))
    if (!filter || !forward || !docker) return
    const user = filter.chainByName.get('DOCKER-USER')
    const toUser = user ? firstJump(forward, user) : -1
    const toDocker = forward.rules.findIndex(rule => rule.target && rule.target.kind !== 'target' && /^DOCKER-(?!USER)/.test(rule.target.chain))
    const place = forward.rules[toDocker]
    if (!place || (toUser !== -1 && toUser < toDocker)) return
    const late = forward.rules[toUser]
    report({
      span: place.span,
      message: late ? "docker's rules come before DOCKER-USER" : user ? 'FORWARD does not lead to DOCKER-USER' : 'there is no chain DOCKER-USER',
      related: late ? [{ span: late.span, message: 'DOCKER-USER is asked only here' }] : user?.span && user.rules.some(({ target }) => target && !isReturn(target)) ? [{ span: user.span, message: `its ${user.rules.length} rules are never looked at` }] : [],
    })
  },
}

function firstJump(forward: Chain, to: Chain): number {
  return forward.rules.findIndex(({ target }) => target && target.kind !== 'target' && target.chain === to.name)
}

function isReturn(target: NonNullable<Rule['target']>): boolean {
  return target.kind === 'target' && target.name === 'RETURN'
}
