/** Asks the programs of this machine what its network is; it only reads. What cannot be had is told, with the reason. */

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { deviceNamesOf } from '../../src/topology/snapshot.ts'
import { objectsOf } from '../../src/topology/snapshot-record.ts'
import type { JsonObject, MachineRecord, NamespaceRecord, RulesetRecord } from '../../src/topology/snapshot-record.ts'
import { sysctlFiles } from '../../src/topology/snapshot-sysctls.ts'
import { commandError } from '../command.ts'

/** Returns what the machine says of the namespace that this runs in and of the named ones; with `only` of these named ones alone. */
export function readMachine(only: readonly string[]): MachineRecord {
  if (process.platform !== 'linux') throw commandError('5x5 snapshot reads the network of a Linux machine, and this is none')
  if (!isInstalled('ip')) throw commandError('`ip` is not installed: 5x5 snapshot asks it for devices, addresses and routes', 'it is in the package iproute2')
  const leftOut = new Set<string>()
  const named = namedNamespaces()
  for (const name of only) if (!named.includes(name)) throw commandError(`there is no network namespace \`${name}\``, named.length === 0 ? '`ip netns list` names none' : `\`ip netns list\` names ${named.join(', ')}`)
  const isRoot = process.getuid?.() === 0
  if (!isRoot) leftOut.add('rules, ipsets and other namespaces, since only root may read them: run it with sudo')
  const wanted = only.length > 0 ? only : isRoot ? named : []
  const places: Place[] = wanted.map(name => ({ name, enter: ['ip', 'netns', 'exec', name], leftOut }))
  if (only.length === 0) places.unshift({ name: named.includes('host') ? 'root' : 'host', enter: [], leftOut })
  return { namespaces: places.map(place => readNamespace(place, isRoot)), leftOut: [...leftOut] }
}

/** A namespace that is being read. */
interface Place {
  readonly name: string
  /** Words to begin a command line with. */
  readonly enter: readonly string[]
  readonly leftOut: Set<string>
}

function readNamespace(place: Place, isRoot: boolean): NamespaceRecord {
  const devices = askJson(place, ['ip', '-j', '-d', '-N', 'address', 'show'])
  const hasBridge = devices.some(device => 'master' in device)
  return {
    name: place.name,
    devices,
    routes: { ipv4: askJson(place, ['ip', '-j', '-N', '-4', 'route', 'show', 'table', 'all']), ipv6: askJson(place, ['ip', '-j', '-N', '-6', 'route', 'show', 'table', 'all']) },
    rules: { ipv4: askJson(place, ['ip', '-j', '-N', '-4', 'rule', 'show']), ipv6: askJson(place, ['ip', '-j', '-N', '-6', 'rule', 'show']) },
    neighbours: askJson(place, ['ip', '-j', 'neigh', 'show']),
    fdb: hasBridge ? askJson(place, ['bridge', '-j', 'fdb', 'show'], 'behind which port of a bridge a neighbour is') : [],
    namespaceIds: isRoot ? askJson(place, ['ip', '-j', 'netns', 'list-id']) : [],
    sysctls: readSysctls(place, deviceNamesOf(devices)),
    sockets: Object.fromEntries(['tcp', 'tcp6', 'udp', 'udp6'].map(name => [name, readProc(place, `/proc/net/${name}`)])),
    ipsets: isRoot ? (ask(place, ['ipset', 'save'], 'ipsets') ?? '') : '',
    rulesets: isRoot ? readRulesets(place) : [],
  }
}

/** One `grep` for all: it tells each file's name, and passes over those that are absent. */
function readSysctls({ enter }: Place, devices: readonly string[]): Record<string, string> {
  const files = sysctlFiles(devices)
  if (enter.length === 0) return Object.fromEntries(files.flatMap(({ name, path }) => (existsSync(`/proc/sys/${path}`) ? [[name, readText(`/proc/sys/${path}`).trim()]] : [])))
  const found = new Map(run([...enter, 'grep', '-sH', '', ...files.map(({ path }) => `/proc/sys/${path}`)]).stdout.split('\n').map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]))
  return Object.fromEntries(files.flatMap(({ name, path }) => {
    const value = found.get(`/proc/sys/${path}`)
    return value === undefined ? [] : [[name, value]]
  }))
}

/** The legacy program is asked only where its tables are loaded already: asking must not load a kernel module. */
function readRulesets(place: Place): readonly RulesetRecord[] {
  return (['ipv4', 'ipv6'] as const).flatMap(family => {
    const program = family === 'ipv4' ? 'iptables' : 'ip6tables'
    const hasTables = readProc(place, `/proc/net/${family === 'ipv4' ? 'ip_tables_names' : 'ip6_tables_names'}`).trim() !== ''
    return (['legacy', 'nft'] as const).flatMap((backend): RulesetRecord[] => {
      if (backend === 'legacy' && !hasTables) return []
      const words = programFor(program, backend)
      if (!words) {
        place.leftOut.add(`the rules of ${program}-${backend}, since neither \`${program}-${backend}-save\` nor an \`${program}-save\` of that kind is installed`)
        return []
      }
      const text = ask(place, words, `the rules of ${program}-${backend}`)
      if (text !== undefined && /is incompatible/.test(text)) place.leftOut.add(`tables of nftables that \`${program}-nft-save\` cannot print (\`nft list ruleset\` shows them)`)
      return text === undefined ? [] : [{ family, backend, text }]
    })
  })
}

function programFor(program: string, backend: 'legacy' | 'nft'): readonly string[] | undefined {
  const [own, plain] = [`${program}-${backend}-save`, `${program}-save`]
  if (isInstalled(own)) return [own]
  const isNft = /nf_tables/.test(run([plain, '--version']).stdout)
  return isInstalled(plain) && isNft === (backend === 'nft') ? [plain] : undefined
}

function askJson(place: Place, words: readonly string[], what = `what \`${words.join(' ')}\` tells`): readonly JsonObject[] {
  const text = ask(place, words, what)
  try {
    return text === undefined || text.trim() === '' ? [] : objectsOf(JSON.parse(text))
  } catch {
    place.leftOut.add(`${what}, since it is no JSON: this \`${words[0]}\` is too old`)
    return []
  }
}

function ask({ name, enter, leftOut }: Place, words: readonly string[], what: string): string | undefined {
  const program = words[0] ?? ''
  if (!isInstalled(program)) {
    leftOut.add(`${what}, since \`${program}\` is not installed`)
    return undefined
  }
  const { status, stdout, stderr } = run([...enter, ...words])
  if (status === 0) return stdout
  leftOut.add(`${what} in ${name}: ${(stderr.trim().split('\n')[0] ?? '').replace(/\.$/, '') || `\`${program}\` failed`}`)
  return undefined
}

function readProc({ enter }: Place, path: string): string {
  return enter.length === 0 ? readText(path) : run([...enter, 'cat', path]).stdout
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** `ip netns list` prints `NAME (id: 3)`. */
function namedNamespaces(): readonly string[] {
  return run(['ip', 'netns', 'list']).stdout.split('\n').map(line => line.split(' ')[0] ?? '').filter(name => name !== '')
}

const installed = new Map<string, boolean>()

function isInstalled(program: string): boolean {
  const known = installed.get(program)
  if (known !== undefined) return known
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin']
  const is = folders.some(folder => folder !== '' && existsSync(`${folder}/${program}`))
  installed.set(program, is)
  return is
}

function run(words: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const [program = '', ...rest] = words
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' }
  const { status, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8', env, maxBuffer: 1 << 30 })
  return { status, stdout: stdout ?? '', stderr: stderr ?? '' }
}
