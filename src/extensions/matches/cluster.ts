/** Source: iptables-extensions(8) "cluster"; net/netfilter/xt_cluster.c xt_cluster_mt(). */

import { not } from '../../meaning/predicate.ts'
import { defineMatch, read } from '../extension.ts'
import type { InfosOf, OptionType } from '../extension.ts'
import { readWholeNumber, wholeNumber } from '../option-types.ts'
import { undecided } from '../undecided.ts'

const hex: OptionType<number> = { ...wholeNumber(0, 0xffffffff), write: value => [`0x${value.toString(16).padStart(8, '0')}`] }
const nodes = wholeNumber(1, 32)

const node: OptionType<number> = {
  ...hex, syntax: 'number',
  read([word = '']) {
    const number = readWholeNumber(word, 1, 32)
    return number.ok ? read(2 ** (number.value - 1)) : number
  },
}

/** Kernel: a hash of the connection's source address decides. */
export const cluster = defineMatch({
  name: 'cluster',
  doc: "matches the share of connections that is this node's",
  requiresOneOf: ['cluster-local-nodemask'],
  options: {
    'cluster-local-nodemask': {
      type: { ...hex, read: ([word = '']) => readWholeNumber(word, 1, 32) }, invertible: true, spellings: { 'cluster-local-node': node },
      doc: 'this node, as a bit; with --cluster-local-node as a number',
    },
    'cluster-total-nodes': { type: nodes, required: true, doc: 'how many nodes there are, at most 32' },
    'cluster-hash-seed': { type: hex, required: true, doc: 'seed of the hash' },
  },
  means(infos) {
    const { mask, total, seed } = partsOf(infos)
    const isOurs = undecided(`-m cluster --cluster-local-nodemask ${mask} --cluster-total-nodes ${total} --cluster-hash-seed ${seed}`)
    return infos['cluster-local-nodemask']?.inverted ? not(isOurs) : isOurs
  },
  check(infos) {
    const { mask, total } = partsOf(infos)
    return mask >= 2 ** total ? `there are only ${total} nodes` : undefined
  },
})

function partsOf(infos: InfosOf<{ 'cluster-local-nodemask': number; 'cluster-total-nodes': number; 'cluster-hash-seed': number }>) {
  return { mask: infos['cluster-local-nodemask']?.value ?? 0, total: infos['cluster-total-nodes']?.value ?? 1, seed: infos['cluster-hash-seed']?.value ?? 0 }
}
