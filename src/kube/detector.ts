/** How rules tell packets of pods from others. Source: kubernetes pkg/proxy/util/localdetector.go. */

import { not } from '../draft/rule-parts.ts'
import type { HeaderTest } from '../draft/rule-parts.ts'
import { familyOf } from '../net/address.ts'
import type { Family } from '../net/address.ts'
import type { LocalDetector } from './model.ts'

/** Returns the test of packets of pods, or of all others; undefined where kube-proxy cannot tell them apart. */
export function detectorTest(detector: LocalDetector, family: Family, who: 'pods' | 'others'): HeaderTest | undefined {
  if (detector.kind === 'none') return undefined
  if (detector.kind === 'device') {
    const name = detector.isPrefix ? `${detector.name}+` : detector.name
    return { inDevice: who === 'pods' ? name : not(name) }
  }
  const prefix = detector.prefixes.find(({ address }) => familyOf(address) === family)
  if (!prefix) return undefined
  return { source: who === 'pods' ? prefix : not(prefix) }
}
