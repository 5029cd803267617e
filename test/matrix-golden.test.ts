/** The matrix of a university's ruleset of 4,840 rules beside that of a verified analyser, which lets through what it does not know. */

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { reachMatrix } from '../src/analyze/matrix.ts'
import type { ReachMatrix } from '../src/analyze/matrix.ts'
import type { AddressGroup, AddressRun } from '../src/analyze/matrix-groups.ts'
import { readNamedService } from '../src/analyze/matrix-service.ts'
import { all, any, masked, not, onDevice } from '../src/meaning/predicate.ts'
import type { Predicate } from '../src/meaning/predicate.ts'
import { readPrefix, writeAddress } from '../src/net/address.ts'
import { readRuleset } from '../src/save/read.ts'
import { readDeviceAddresses, readServiceMatrices } from './corpora/service-matrices.ts'

const RULES = '../shared/corpora/rulesets/diekmann+Iptables_Semantics/thy__Iptables_Semantics__Examples__TUM_Net_Firewall__iptables-save-2015-05-15_15-23-41_cheating.rules'
const GOLDEN = '../shared/corpora/analysis-goldens/fffuu/GoldenFiles__i8_iptables-save-2015-05-15_15-23-41_cheating'
const DEVICES = '../shared/corpora/analysis-goldens/fffuu/ipassmt/ipassmt_tumi8'

/**
 * Where it lets through and we do not, and are right. Four servers: a REJECT before the ACCEPT, both of the same output device, which it does
 * not follow. The telephone server: it takes a rule about SCTP for one about every protocol.
 */
const ONLY_THEIRS: Readonly<Record<number, readonly string[]>> = {
  22: ['138.246.253.5 > 131.159.20.15', '192.168.212.0 > 131.159.15.247'],
  80: ['138.246.253.5 > 131.159.20.15'],
}

const goldens = existsSync(GOLDEN) ? readServiceMatrices(readFileSync(GOLDEN, 'utf8')) : []

describe('the matrix of a real ruleset', () => {
  test.skipIf(goldens.length === 0).each([22, 80])('TCP port %d lets through what a verified analyser does', port => {
    const golden = goldens.find(one => one.port === port)
    if (!golden) throw new Error('it has both ports')
    const { value: ruleset } = readRuleset([{ path: 'university.rules', text: readFileSync(RULES, 'utf8') }], { family: 'ipv4' })
    const service = readNamedService(`tcp/${golden.port}`, 'ipv4')
    const matrix = typeof service === 'string' ? undefined : reachMatrix({ ruleset, service, way: 'FORWARD', when: sourcesOnDevices() })
    if (!matrix) throw new Error('it is not too big')
    const differences = { ours: new Set<string>(), theirs: new Set<string>() }
    const points = pointsOf(matrix, golden.groups)
    for (const from of points) {
      for (const to of points) {
        const kind = matrix.cells[from.row]?.[to.column]?.kind ?? 'never'
        const isOurs = kind === 'yes' || kind === 'some'
        const isTheirs = golden.pairs.has(`${from.theirs},${to.theirs}`)
        if (kind === 'never' || isOurs === isTheirs) continue
        differences[isOurs ? 'ours' : 'theirs'].add(`${writeAddress(Number(from.address))} > ${writeAddress(Number(to.address))}`)
      }
    }
    expect([...differences.ours], 'it lets through whatever may get through').toEqual([])
    expect([...differences.theirs]).toEqual(ONLY_THEIRS[golden.port])
  })
})

/** Sources are behind the devices that the assignment names, as the analyser was told. */
function sourcesOnDevices(): Predicate {
  const given = [...readDeviceAddresses(readFileSync(DEVICES, 'utf8'))].filter(([device]) => device.startsWith('eth1.'))
  const on = (name: string): Predicate => onDevice('device.in', { name, prefix: false })
  return any([all(given.map(([device]) => not(on(device)))), ...given.map(([device, { isAllBut, prefixes }]) => {
    const inside = any(prefixes.flatMap(text => {
      const prefix = readPrefix(text)
      return prefix ? [masked('ip.src', prefix.mask, prefix.address)] : []
    }))
    return all([on(device), isAllBut ? not(inside) : inside])
  })])
}

interface Point {
  readonly address: bigint
  readonly theirs: string | undefined
  readonly row: number
  readonly column: number
}

/** One address for each way of being in both divisions of the address space. */
function pointsOf({ sources, destinations, groups }: ReachMatrix, theirs: ReadonlyMap<string, readonly AddressRun[]>): readonly Point[] {
  const has = (runs: readonly AddressRun[], address: bigint): boolean => runs.some(({ low, high }) => low <= address && address <= high)
  const place = (sides: readonly (readonly AddressGroup[])[], address: bigint): number => sides.findIndex(of => of.some(({ runs }) => has(runs, address)))
  const found = new Map<string, Point>()
  for (const address of [...theirs.values(), ...groups.map(({ runs }) => runs)].flat().flatMap(({ low, high }) => [low, high + 1n])) {
    const point = { address, theirs: [...theirs].find(([, runs]) => has(runs, address))?.[0], row: place(sources, address), column: place(destinations, address) }
    const key = `${point.theirs} ${point.row} ${point.column}`
    if (!found.has(key)) found.set(key, point)
  }
  return [...found.values()]
}
