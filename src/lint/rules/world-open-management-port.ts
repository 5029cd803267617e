/** Ports for administration and storage that the whole world may reach. */

import type { Rule } from '../../ir/ruleset.ts'
import { eachRule } from '../../ir/ruleset.ts'
import type { NumberRange } from '../../net/ranges.ts'
import { atInput, fateAt, isCertain } from '../fate.ts'
import type { LintRule } from '../lint-rule.ts'
import { optionOf, targetNamed } from '../rule-facts.ts'
import { newFromWorld, packetOf } from '../world.ts'

/** What listens there, by protocol and port. A range that is wide names no port. */
const PORTS: Readonly<Record<string, string>> = {
  'tcp 23': 'telnet', 'tcp 111': 'rpcbind', 'udp 111': 'rpcbind', 'tcp 135': 'Windows RPC', 'tcp 139': 'SMB', 'udp 161': 'SNMP', 'tcp 445': 'SMB', 'tcp 512': 'rexec', 'tcp 513': 'rlogin',
  'tcp 514': 'rsh', 'tcp 873': 'rsync', 'tcp 1433': 'SQL Server', 'tcp 1521': 'Oracle', 'tcp 2049': 'NFS', 'tcp 2375': 'the docker API without TLS', 'tcp 2376': 'the docker API',
  'tcp 2379': 'etcd', 'tcp 2380': 'etcd', 'tcp 3306': 'MySQL', 'tcp 3389': 'remote desktop', 'tcp 5432': 'PostgreSQL', 'tcp 5900': 'VNC', 'tcp 5901': 'VNC', 'tcp 5984': 'CouchDB',
  'tcp 5985': 'WinRM', 'tcp 6379': 'Redis', 'tcp 8006': 'Proxmox', 'tcp 9042': 'Cassandra', 'tcp 9200': 'Elasticsearch', 'tcp 9300': 'Elasticsearch', 'tcp 10000': 'Webmin',
  'tcp 10250': 'the kubelet API', 'tcp 11211': 'memcached', 'udp 11211': 'memcached', 'tcp 27017': 'MongoDB',
}
const WIDE = 10

export const worldOpenManagementPort: LintRule = {
  id: 'world-open-management-port',
  severity: 'warning',
  what: 'a port for administration is open to the world',
  why: 'such services are found by scans within minutes, and many let in whoever reaches them',
  help: 'accept it from the addresses that need it (`-s ADDRESS`), from the device that they are behind (`-i DEVICE`), or through a VPN',
  needs: ['whole', 'chains', 'world'],
  check({ ruleset, family, chains, world, trusted }, report) {
    const seen = new Set<Rule>()
    eachRule(ruleset, (rule, _number, chain, table) => {
      if (table.name !== 'filter' || !targetNamed(rule, ['ACCEPT']) || !chains.hooksOf(chain).includes('INPUT') || optionOf(rule, 'ip', 'source')?.inverted === false) return
      for (const [key, service] of Object.entries(PORTS)) {
        const [protocol, port = ''] = key.split(' ')
        if ((protocol !== 'tcp' && protocol !== 'udp') || !namesPort(rule, Number(port)) || seen.has(rule)) continue
        const packets = atInput(ruleset, newFromWorld(world, family, { protocol, port: Number(port) }))
        if (!packets) continue
        const fate = fateAt({ ruleset, hook: 'INPUT', tables: ['filter'] }, packets)
        if (!isCertain(fate, 'accept') || !fate.endings.every(({ by }) => by.kind === 'rule' && by.rule === rule)) continue
        seen.add(rule)
        report({
          span: rule.span, message: `${service} (${protocol} port ${port}) is open to the world`,
          ...(trusted.length > 0 ? { help: 'accept it from the trusted addresses only' } : {}),
          witness: { packet: packetOf(packets), path: [{ span: rule.span, message: 'this rule accepts it' }] },
        })
      }
    })
  },
}

function namesPort(rule: Rule, port: number): boolean {
  const ranges = rule.matches.flatMap(use => ['dport', 'dports'].flatMap(name => (use.infos[name] && !use.infos[name].inverted ? rangesOf(use.infos[name].value) : [])))
  return ranges.some(({ low, high }) => low <= port && port <= high && high - low < WIDE)
}

function rangesOf(value: unknown): readonly NumberRange[] {
  return Array.isArray(value) ? (value as readonly NumberRange[]) : [value as NumberRange]
}
