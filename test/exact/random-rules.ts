/** Small random rulesets over few addresses, ports, devices and marks, so that all packets that differ to them can be enumerated. */

import type { Chance } from '../chance.ts'

const ADDRESSES = ['10.0.0.0/24', '10.0.0.5', '10.0.0.1', '10.0.1.0/24', '10.0.1.7', '10.0.1.1', '198.51.100.0/24', '198.51.100.9', '10.0.0.0/15', '128.0.0.0/1']
const PORTS = ['22', '80', '53', '22:80', '1024:65535']
const MARKS = ['0x1', '0x2/0x2', '0x3/0x3', '0x0/0x1', '0x4']

/** Which devices a rule of a hook may name. */
interface Place {
  readonly hasIn: boolean
  readonly hasOut: boolean
}

const PLACES: Readonly<Record<string, Place>> = {
  PREROUTING: { hasIn: true, hasOut: false }, INPUT: { hasIn: true, hasOut: false }, FORWARD: { hasIn: true, hasOut: true }, OUTPUT: { hasIn: false, hasOut: true }, POSTROUTING: { hasIn: false, hasOut: true }, user: { hasIn: false, hasOut: false },
}

const CHAINS: Readonly<Record<string, readonly string[]>> = {
  raw: ['PREROUTING', 'OUTPUT'], mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'], nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'], filter: ['INPUT', 'FORWARD', 'OUTPUT'],
}

/** Returns a ruleset as iptables-save would print it. `tables` are those that may have rules. */
export function randomRules(chance: Chance, tables: readonly string[]): string {
  return tables.map(table => randomTable(chance, table)).join('')
}

function randomTable(chance: Chance, table: string): string {
  const builtIn = CHAINS[table] ?? []
  const users = Array.from({ length: chance.below(3) }, (_, index) => `user${index}`)
  const policy = (): string => (table === 'filter' && chance.once(2) ? 'DROP' : 'ACCEPT')
  const heads = [...builtIn.map(chain => `:${chain} ${policy()} [0:0]`), ...users.map(chain => `:${chain} - [0:0]`)]
  const rules = [...builtIn, ...users].flatMap(chain => {
    const later = users.filter(user => !users.includes(chain) || user > chain)
    const kind = users.includes(chain) ? 'user' : chain
    return Array.from({ length: chance.below(table === 'filter' ? 6 : 4) }, () => `-A ${chain} ${randomRule(chance, table, kind, later)}`)
  })
  return [`*${table}`, ...heads, ...rules, 'COMMIT', ''].join('\n')
}

function randomRule(chance: Chance, table: string, chain: string, users: readonly string[]): string {
  const place = PLACES[chain] ?? { hasIn: false, hasOut: false }
  const not = (): string => (chance.once(5) ? '! ' : '')
  const target = randomTarget(chance, table, chain, users)
  const protocol = target.protocol ?? (chance.once(2) ? chance.pick(['tcp', 'udp', 'icmp']) : undefined)
  const parts = [
    chance.once(3) ? `${not()}-s ${chance.pick(ADDRESSES)}` : '',
    chance.once(3) ? `${not()}-d ${chance.pick(ADDRESSES)}` : '',
    place.hasIn && chance.once(4) ? `${not()}-i ${chance.pick(['eth0', 'eth1', 'lo', 'eth+'])}` : '',
    place.hasOut && chance.once(4) ? `${not()}-o ${chance.pick(['eth0', 'eth1', 'lo', 'eth+'])}` : '',
    protocol === undefined ? '' : `-p ${protocol}`,
    ...protocolMatch(chance, protocol, not),
    chance.once(6) && table !== 'raw' ? `-m conntrack ${not()}--ctstate ${chance.pick(['NEW', 'INVALID', 'RELATED,ESTABLISHED', 'UNTRACKED', 'DNAT', 'SNAT', 'NEW,UNTRACKED'])}` : '',
    chance.once(6) ? `-m mark ${not()}--mark ${chance.pick(MARKS)}` : '',
    chance.once(10) ? `-m addrtype ${not()}--dst-type ${chance.pick(['LOCAL', 'UNICAST'])}` : '',
    chance.once(14) && table !== 'raw' ? `-m connmark --mark ${chance.pick(MARKS)}` : '',
    chance.once(14) && table !== 'raw' ? `-m conntrack ${not()}--ctorigdst ${chance.pick(ADDRESSES)}` : '',
    chance.once(14) ? `-m ttl --ttl-lt ${chance.pick(['2', '64', '10'])}` : '',
    chance.once(12) ? `-m string --string ${chance.pick(['a', 'b'])} --algo bm` : '',
    target.words,
  ]
  return parts.filter(part => part !== '').join(' ')
}

function protocolMatch(chance: Chance, protocol: string | undefined, not: () => string): readonly string[] {
  if (protocol === 'icmp') return chance.once(2) ? ['-m icmp --icmp-type 8'] : []
  if (protocol === undefined) return []
  const ports = [chance.once(2) ? `${not()}--dport ${chance.pick(PORTS)}` : '', chance.once(5) ? `${not()}--sport ${chance.pick(PORTS)}` : ''].filter(part => part !== '')
  const multiport = chance.once(8) ? [`-m multiport ${not()}--dports ${chance.pick(['22,80', '53,80:90', '22'])}`] : []
  const flags = protocol === 'tcp' && chance.once(5) ? [chance.pick(['--tcp-flags FIN,SYN,RST,ACK SYN', '--tcp-flags SYN,ACK SYN,ACK', '! --tcp-flags SYN SYN'])] : []
  return [...(ports.length + flags.length > 0 ? [`-m ${protocol}`, ...ports, ...flags] : []), ...multiport]
}

interface Target {
  readonly words: string
  readonly protocol?: string
}

function randomTarget(chance: Chance, table: string, chain: string, users: readonly string[]): Target {
  if (users.length > 0 && chance.once(4)) return { words: `${chance.pick(['-j', '-j', '-g'])} ${chance.pick(users)}` }
  if (chance.once(8)) return { words: '-j RETURN' }
  const nat = natTargets(chance, chain)
  const targets: Readonly<Record<string, readonly Target[]>> = {
    raw: [{ words: '-j NOTRACK' }, { words: '-j DROP' }, { words: '-j ACCEPT' }, { words: '-j MARK --set-xmark 0x4/0x4' }],
    mangle: [{ words: '-j MARK --set-xmark 0x1/0xffffffff' }, { words: '-j MARK --set-xmark 0x2/0x2' }, { words: '-j MARK --set-xmark 0x0/0x1' }, { words: '-j ACCEPT' }, { words: '-j TTL --ttl-set 5' }, { words: '-j TTL --ttl-dec 1' }, { words: '-j DSCP --set-dscp 0x0a' }, { words: '-j DROP' }, { words: '-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff' }, { words: '-j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff' }],
    nat: nat.length > 0 && !chance.once(4) ? nat : [{ words: '-j ACCEPT' }, { words: '-j MARK --set-xmark 0x1/0x1' }],
    filter: [{ words: '-j ACCEPT' }, { words: '-j DROP' }, { words: '-j ACCEPT' }, { words: '-j DROP' }, { words: '-j REJECT' }, { words: '-j LOG' }, { words: '' }],
  }
  return chance.pick(targets[table] ?? [{ words: '-j ACCEPT' }])
}

function natTargets(chance: Chance, chain: string): readonly Target[] {
  if (chain === 'PREROUTING') return [...destinationTargets(chance), { words: '-j REDIRECT' }, { words: '-j REDIRECT --to-ports 22', protocol: 'tcp' }]
  if (chain === 'OUTPUT') return [...destinationTargets(chance), { words: '-j REDIRECT' }]
  if (chain === 'POSTROUTING') return [{ words: '-j MASQUERADE' }, { words: '-j SNAT --to-source 10.0.1.1' }, { words: '-j SNAT --to-source 10.0.0.1:1000', protocol: 'udp' }, { words: '-j NETMAP --to 10.9.0.0/24' }]
  if (chain === 'INPUT') return [{ words: '-j SNAT --to-source 10.0.0.77' }]
  return []
}

function destinationTargets(chance: Chance): readonly Target[] {
  return [{ words: `-j DNAT --to-destination ${chance.pick(['10.0.1.7', '10.0.0.5', '10.0.0.1', '198.51.100.9'])}` }, { words: '-j DNAT --to-destination 10.0.1.7:80', protocol: 'tcp' }, { words: '-j NETMAP --to 10.0.1.0/24' }]
}
