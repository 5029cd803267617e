/** Every lint rule: an explicit list, in the order in which the reference shows them. */

import type { LintRule } from './lint-rule.ts'
import { chainAlwaysReturns } from './rules/chain-always-returns.ts'
import { chainLoop } from './rules/chain-loop.ts'
import { commentCut } from './rules/comment-cut.ts'
import { correlatedRules } from './rules/correlated-rules.ts'
import { deprecatedMatch } from './rules/deprecated-match.ts'
import { dnatToUnreachable } from './rules/dnat-to-unreachable.ts'
import { dnatWithoutForwardAccept } from './rules/dnat-without-forward-accept.ts'
import { dockerUserMissing } from './rules/docker-user-missing.ts'
import { dropInMangleOrNat } from './rules/drop-in-mangle-or-nat.ts'
import { droppedNeighbourDiscovery } from './rules/dropped-neighbour-discovery.ts'
import { droppedPathMtu } from './rules/dropped-path-mtu.ts'
import { duplicateRule } from './rules/duplicate-rule.ts'
import { emptyChain } from './rules/empty-chain.ts'
import { establishedAfterExpensiveRules } from './rules/established-after-expensive-rules.ts'
import { expiredRule } from './rules/expired-rule.ts'
import { gotoNeverReturns } from './rules/goto-never-returns.ts'
import { hairpinMissing } from './rules/hairpin-missing.ts'
import { hostBitsSet } from './rules/host-bits-set.ts'
import { hotRuleLate } from './rules/hot-rule-late.ts'
import { icmpTypeInIp6 } from './rules/icmp-type-in-ip6.ts'
import { inDeviceNeverSet } from './rules/in-device-never-set.ts'
import { invalidBeforeEstablished } from './rules/invalid-before-established.ts'
import { limitWithoutDrop } from './rules/limit-without-drop.ts'
import { lockOut } from './rules/lock-out.ts'
import { logAfterVerdict } from './rules/log-after-verdict.ts'
import { logPrefixCut } from './rules/log-prefix-cut.ts'
import { logWithoutLimit } from './rules/log-without-limit.ts'
import { longAddressList } from './rules/long-address-list.ts'
import { loopbackNotAccepted } from './rules/loopback-not-accepted.ts'
import { markAfterRouting } from './rules/mark-after-routing.ts'
import { masqueradeWithoutOutDevice } from './rules/masquerade-without-out-device.ts'
import { missingEstablishedAccept } from './rules/missing-established-accept.ts'
import { mixedBackends } from './rules/mixed-backends.ts'
import { negatedMultiportSurprise } from './rules/negated-multiport-surprise.ts'
import { neverArrives } from './rules/never-arrives.ts'
import { neverMatchingRule } from './rules/never-matching-rule.ts'
import { notrackWithStateRules } from './rules/notrack-with-state-rules.ts'
import { oneFamilyOnly } from './rules/one-family-only.ts'
import { openPolicy } from './rules/open-policy.ts'
import { publishedPortBypassesInput } from './rules/published-port-bypasses-input.ts'
import { publishedPortInForward } from './rules/published-port-in-forward.ts'
import { redundantRule } from './rules/redundant-rule.ts'
import { rejectUnlimitedUdp } from './rules/reject-unlimited-udp.ts'
import { routeLocalnetExposed } from './rules/route-localnet-exposed.ts'
import { ruleAfterFinalVerdict } from './rules/rule-after-final-verdict.ts'
import { shadowedRule } from './rules/shadowed-rule.ts'
import { shadowedWithOtherVerdict } from './rules/shadowed-with-other-verdict.ts'
import { snatShadowsLater } from './rules/snat-shadows-later.ts'
import { spoofedLoopback } from './rules/spoofed-loopback.ts'
import { undefinedChain } from './rules/undefined-chain.ts'
import { unreachablePolicy } from './rules/unreachable-policy.ts'
import { unusedChain } from './rules/unused-chain.ts'
import { worldOpenManagementPort } from './rules/world-open-management-port.ts'

/** All rules: about structure, order, traps, exposure, nat, and hygiene. */
export const RULES: readonly LintRule[] = [
  undefinedChain, chainLoop, unusedChain, emptyChain, duplicateRule, chainAlwaysReturns, ruleAfterFinalVerdict, gotoNeverReturns, neverMatchingRule, neverArrives,
  shadowedRule, shadowedWithOtherVerdict, redundantRule, unreachablePolicy, correlatedRules, inDeviceNeverSet, negatedMultiportSurprise, icmpTypeInIp6,
  establishedAfterExpensiveRules, logWithoutLimit, logAfterVerdict, dropInMangleOrNat, rejectUnlimitedUdp, limitWithoutDrop, notrackWithStateRules,
  invalidBeforeEstablished, openPolicy, worldOpenManagementPort, publishedPortBypassesInput, publishedPortInForward, dockerUserMissing, loopbackNotAccepted, spoofedLoopback,
  missingEstablishedAccept, oneFamilyOnly, droppedPathMtu, droppedNeighbourDiscovery, masqueradeWithoutOutDevice, dnatWithoutForwardAccept,
  dnatToUnreachable, hairpinMissing, snatShadowsLater, routeLocalnetExposed, markAfterRouting, mixedBackends, deprecatedMatch, longAddressList, hotRuleLate, logPrefixCut,
  commentCut, hostBitsSet, expiredRule, lockOut,
]
