/** What is wrong with chains as a whole: loops, jumps that nest too deep, chains that nothing reaches. */

import type { Diagnostic, RelatedPlace } from '../diagnostics/diagnostic.ts'
import { deepPath, hooksOf, loops, ruleOf } from '../ir/chain-graph.ts'
import type { ChainGraph, Jump } from '../ir/chain-graph.ts'
import type { Backend } from '../ir/hooks.ts'
import type { Chain } from '../ir/ruleset.ts'
import { placeOfTarget } from './word-place.ts'

/** Kernel: nf_tables refuses more nested jumps than this; gotos count. Source: net/netfilter/nf_tables_api.c nft_chain_validate(). */
const NFT_JUMP_LIMIT = 15

/** Returns the refusals and warnings of one table's chains for one backend. */
export function checkChains(graph: ChainGraph, backend: Backend): Diagnostic[] {
  const found = loops(graph).map(loop => loopRefusal(loop))
  const deep = backend === 'nft' && found.length === 0 ? deepPath(graph, NFT_JUMP_LIMIT) : undefined
  const unused = backend === 'nft' ? graph.table.chains.filter(chain => hooksOf(graph, chain).length === 0) : []
  return [...found, ...(deep ? [depthRefusal(deep)] : []), ...unused.map(chain => unusedChain(graph, chain))].filter(diagnostic => diagnostic !== undefined)
}

function loopRefusal(loop: readonly Jump[]): Diagnostic | undefined {
  const last = loop.at(-1)
  if (!last) return undefined
  const names = [...loop.map(jump => jump.from.name), last.to.name]
  return {
    code: 'chain-loop',
    severity: 'error',
    message: loop.length === 1 ? `chain \`${last.to.name}\` leads back to itself` : `chains loop: ${names.map(name => `\`${name}\``).join(' -> ')}`,
    span: placeOfTarget(ruleOf(last)),
    help: 'loading refuses every loop, even one that no packet could run through',
    related: loop.slice(0, -1).map(leadsTo),
  }
}

function depthRefusal(path: readonly Jump[]): Diagnostic | undefined {
  const last = path.at(-1)
  if (!last) return undefined
  return {
    code: 'chain-depth',
    severity: 'error',
    message: `jumps nest ${path.length} deep here, and nf_tables takes ${NFT_JUMP_LIMIT}`,
    span: placeOfTarget(ruleOf(last)),
    help: `the way is ${[path[0]?.from.name, ...path.map(jump => jump.to.name)].join(' -> ')}`,
    related: [],
  }
}

/** Kubernetes looks whether these are still there, to notice that somebody took its rules away: nothing leads to them. */
const CANARIES = /^KUBE-(PROXY-CANARY|KUBELET-CANARY|IPTABLES-HINT)$/

function unusedChain(graph: ChainGraph, chain: Chain): Diagnostic | undefined {
  if (!chain.span || CANARIES.test(chain.name)) return undefined
  const count = chain.digest?.ruleCount ?? chain.rules.length
  const jump = graph.jumps.flatMap(jumps => jumps ?? []).find(({ to, from }) => to === chain && from !== chain)
  return {
    code: 'unused-chain',
    severity: 'warning',
    message: `${jump ? 'no built-in chain leads' : 'nothing jumps'} to chain \`${chain.name}\`${count === 0 ? '' : `: its ${count === 1 ? 'rule is' : `${count} rules are`} never looked at`}`,
    span: chain.span,
    help: `jump to it (\`-j ${chain.name}\`) from where its packets pass, or remove it${count === 0 ? '' : ` with its rule${count === 1 ? '' : 's'}`}`,
    related: jump ? [{ span: ruleOf(jump).span, message: `chain \`${jump.from.name}\` jumps to it, and is not reached either` }] : [],
  }
}

function leadsTo(jump: Jump): RelatedPlace {
  return { span: ruleOf(jump).span, message: `\`${jump.from.name}\` leads to \`${jump.to.name}\` here` }
}
