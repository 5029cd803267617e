/** The rules of fixtures/cni/hosts and fixtures/kube/clusters are taken by the real programs of both backends, which save them as they were written. Needs the kernel: skipped elsewhere. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { linesByTable } from '../restore-tables.ts'
import { kernel } from './live.ts'
import { run, tryRun } from './shell.ts'

const FOLDERS = ['fixtures/cni/hosts', 'fixtures/kube/clusters'].flatMap(folder => readdirSync(folder).map(name => `${folder}/${name}`))
const NAMESPACE = `5x5n-${process.pid}`

/** Objects that accounting rules name must be there before them. */
const ACCOUNTS = /--nfacct-name +(\S+)/

const { live } = kernel()

describe.skipIf(!live).each(['legacy', 'nft'] as const)('%s', backend => {
  const inside = `ip netns exec ${NAMESPACE}-${backend}`
  beforeAll(() => void run(`ip netns add ${NAMESPACE}-${backend}`))
  afterAll(() => tryRun(`ip netns delete ${NAMESPACE}-${backend}`))

  test.each(FOLDERS.filter(folder => !ACCOUNTS.test(textOf(`${folder}/rules.v4`))))('%s', folder => {
    const sets = setsOf(textOf(`${folder}/rules.v4`))
    if (sets !== '') run(`${inside} ipset restore`, sets)
    for (const [file, program] of [['rules.v4', 'iptables'], ['rules.v6', 'ip6tables']] as const) {
      const text = textOf(`${folder}/${file}`)
      if (text === '') continue
      run(`${inside} ${program}-${backend}-restore`, text)
      const saved = linesByTable(run(`${inside} ${program}-${backend}-save`))
      for (const [table, lines] of linesByTable(text)) expect(saved.get(table)).toEqual(lines)
      run(`${inside} ${program}-${backend}-restore`, ['raw', 'mangle', 'nat', 'filter'].map(table => `*${table}\nCOMMIT\n`).join(''))
    }
    if (sets !== '') run(`${inside} ipset destroy`)
  })
})

/** Sets that rules name must be there before them. */
function setsOf(text: string): string {
  const names = new Set([...text.matchAll(/--match-set (\S+)/g)].map(match => match[1]))
  return [...names].map(name => `create ${name} hash:net\n`).join('')
}

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
