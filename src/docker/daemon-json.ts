/** The options of dockerd from daemon.json, or from the keys `x-docker` of a compose file that describe the host. */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { SourceFile } from '../diagnostics/source-file.ts'
import { fieldsOf } from '../draft/fields.ts'
import type { KeyTable } from '../draft/fields.ts'
import { familyOf } from '../net/address.ts'
import { prefixAround } from '../net/prefix-math.ts'
import { PORT_PROTOCOLS } from '../net/protocol.ts'
import { complain, entriesOf, isEmpty, itemsOf, openYaml, rootOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlValue } from '../yaml/yaml-reader.ts'
import { composeReader, filledAddress, filledFlag, filledNumber, filledSubnet, filledText } from './compose-reader.ts'
import type { ComposeReader } from './compose-reader.ts'
import type { AddressPool, DaemonOptions, SwarmPort } from './daemon-options.ts'
import { isAtLeast } from './engine.ts'
import type { Engine } from './engine.ts'

/** Reads a daemon.json over the defaults of an engine. */
export function readDaemonJson(source: SourceFile, byDefault: DaemonOptions, engine: Engine): { readonly value: DaemonOptions; readonly diagnostics: readonly Diagnostic[] } {
  const yaml = openYaml(source)
  const root = rootOf(yaml)
  const value = yaml.document.errors.length > 0 ? byDefault : readDaemonKeys(root, byDefault, composeReader(engine, {}, yaml.diagnostics))
  return { value, diagnostics: yaml.diagnostics }
}

/** Reads the keys of a mapping over options; options that an engine does not know yet are reported and left as they are. */
export function readDaemonKeys(value: YamlValue | undefined, byDefault: DaemonOptions, reader: ComposeReader): DaemonOptions {
  if (!value || isEmpty(value)) return byDefault
  const find = fieldsOf(value, 'the options of dockerd', DAEMON_KEYS, reader)
  const read = keysReader(find, reader)
  const { engine } = reader
  for (const [key, [major, minor]] of Object.entries(SINCE)) {
    const entry = find(key)
    if (entry && !isAtLeast(engine, major, minor)) reader.report('not-modelled', 'warning', entry.keySpan, `engine ${engine.text} does not know \`${key}\`: it is ignored`, { help: `it exists since ${major}.${minor}` })
  }
  const given: Partial<Record<keyof DaemonOptions, unknown>> = {
    ...flags(read.flag), ...addresses(read), ...defined({ mtu: read.number('mtu', 0, 65535), bridgeAcceptMark: isAtLeast(engine, 29) ? read.mark('bridge-accept-fwmark') : undefined }),
    ...defined({ addressPools: read.pools('default-address-pools'), networkOptions: read.labels('default-network-opts'), swarm: read.swarm('swarm') }),
    ...environment(find('env'), reader),
  }
  return { ...byDefault, ...(given as Partial<DaemonOptions>) }
}

/** Keys of daemon.json that say nothing of packets between hosts and containers, and those that do. Source: dockerd.md "Daemon configuration file". */
const DAEMON_KEYS: KeyTable = {
  modelled: [
    'allow-direct-routing', 'bip', 'bip6', 'bridge-accept-fwmark', 'default-address-pools', 'default-gateway', 'default-gateway-v6', 'default-network-opts', 'env', 'fixed-cidr', 'fixed-cidr-v6',
    'host-ip-forward', 'icc', 'ip', 'ip-forward', 'ip-forward-no-drop', 'ip-masq', 'ip6tables', 'iptables', 'ipv6', 'mtu', 'swarm', 'userland-proxy', 'wsl2-mirrored',
  ],
  harmless: [
    'api-cors-header', 'authorization-plugins', 'builder', 'cgroup-parent', 'containerd', 'containerd-namespace', 'containerd-plugins-namespace', 'data-root', 'debug', 'default-cgroupns-mode', 'default-ipc-mode',
    'default-runtime', 'default-shm-size', 'default-ulimits', 'dns', 'dns-opts', 'dns-search', 'exec-opts', 'exec-root', 'experimental', 'features', 'graph', 'group', 'host-gateway-ip', 'hosts', 'init', 'init-path',
    'insecure-registries', 'labels', 'live-restore', 'log-driver', 'log-format', 'log-level', 'log-opts', 'max-concurrent-downloads', 'max-concurrent-uploads', 'max-download-attempts', 'metrics-addr', 'min-api-version',
    'no-new-privileges', 'node-generic-resources', 'oom-score-adjust', 'pidfile', 'proxies', 'raw-logs', 'registry-mirrors', 'runtimes', 'seccomp-profile', 'selinux-enabled', 'shutdown-timeout', 'storage-driver',
    'storage-opts', 'swarm-default-advertise-addr', 'tls', 'tlscacert', 'tlscert', 'tlskey', 'tlsverify', 'userland-proxy-path', 'userns-remap',
  ],
  open: { bridge: 'a bridge of your own in the place of docker0 is not known here', 'firewall-backend': 'only the rules of the iptables backend are written' },
}

/** Options that came later than 20.10: the first release that knows them. */
const SINCE: Readonly<Record<string, readonly [number, number]>> = { 'ip-forward-no-drop': [28, 0], 'allow-direct-routing': [28, 2], 'bridge-accept-fwmark': [29, 0], bip6: [28, 0], 'default-network-opts': [24, 0] }

const FLAGS = {
  iptables: 'iptables', ip6tables: 'ip6tables', userlandProxy: 'userland-proxy', ipForward: 'ip-forward', ipForwardNoDrop: 'ip-forward-no-drop', allowDirectRouting: 'allow-direct-routing',
  icc: 'icc', ipMasq: 'ip-masq', ipv6: 'ipv6', hostForwards: 'host-ip-forward', wsl2Mirrored: 'wsl2-mirrored',
} as const satisfies Partial<Record<keyof DaemonOptions, string>>

function flags(flag: KeysReader['flag']): Partial<Record<keyof DaemonOptions, boolean>> {
  return Object.fromEntries(Object.entries(FLAGS).flatMap(([option, key]) => {
    const value = flag(key)
    return value === undefined ? [] : [[option, value]]
  }))
}

function addresses(read: KeysReader): Partial<Record<keyof DaemonOptions, unknown>> {
  return defined({
    ip: read.address('ip'), bip: read.subnet('bip'), bip6: read.subnet('bip6'), fixedCidr: read.subnet('fixed-cidr'), fixedCidr6: read.subnet('fixed-cidr-v6'),
    defaultGateway: read.address('default-gateway'), defaultGateway6: read.address('default-gateway-v6'),
  })
}

function defined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>
}

function environment(entry: YamlEntry | undefined, reader: ComposeReader): Partial<Record<keyof DaemonOptions, boolean>> {
  const names = { DOCKER_INSECURE_NO_IPTABLES_RAW: 'noRaw', DOCKER_IPTABLES_SCTP_CHECKSUM: 'sctpChecksum' } as const
  const given = entry ? entriesOf(entry.value, '`env`') : []
  return Object.fromEntries(Object.entries(names).flatMap(([name, option]) => {
    const found = given.find(({ key }) => key === name)
    return found ? [[option, filledText(found.value, `\`${name}\``, reader) === '1']] : []
  }))
}

type KeysReader = ReturnType<typeof keysReader>

function keysReader(find: (key: string) => YamlEntry | undefined, reader: ComposeReader) {
  const at = <T>(key: string, read: (value: YamlValue) => T | undefined): T | undefined => {
    const entry = find(key)
    return entry && !isEmpty(entry.value) ? read(entry.value) : undefined
  }
  return {
    flag: (key: string) => at(key, value => filledFlag(value, `\`${key}\``, reader)),
    address: (key: string) => at(key, value => filledAddress(value, `\`${key}\``, reader)),
    subnet: (key: string) => at(key, value => filledSubnet(value, `\`${key}\``, reader)),
    number: (key: string, low: number, high: number) => at(key, value => filledNumber(value, `\`${key}\``, low, high, reader)),
    mark: (key: string) => at(key, value => readMark(value, reader)),
    pools: (key: string) => at(key, value => itemsOf(value).flatMap(item => readPool(item, reader))),
    labels: (key: string) => at(key, value => readLabels(value, reader)),
    swarm: (key: string) => at(key, value => readSwarm(value, reader)),
  }
}

/** `MARK` or `MARK/MASK` as Go writes numbers: 0x1f, 0b11, 0o17, 017, 1_000. */
function readMark(value: YamlValue, reader: ComposeReader): DaemonOptions['bridgeAcceptMark'] {
  const text = filledText(value, '`bridge-accept-fwmark`', reader)
  if (text === undefined) return undefined
  const [mark, mask, ...more] = text.split('/').map(goNumber)
  const isMask = text.includes('/') ? mask !== undefined : true
  if (mark !== undefined && isMask && more.length === 0) return { value: mark, mask: mask ?? 0xffffffff }
  complain(value.reader, 'bad-value', value.span, `\`${text}\` is not a mark with or without a mask`, 'such as 0x100 or 0x100/0x300')
  return undefined
}

function goNumber(text: string): number | undefined {
  const digits = text.replaceAll('_', '').replace(/^0(?=[0-7]+$)/, '0o')
  const number = /^(0x[0-9a-f]+|0b[01]+|0o[0-7]+|\d+)$/i.test(digits) ? Number(digits) : Number.NaN
  return number <= 0xffffffff ? number : undefined
}

/** `default-network-opts` is by driver. */
function readLabels(value: YamlValue, reader: ComposeReader): Readonly<Record<string, string>> {
  const bridge = entriesOf(value, '`default-network-opts`').find(({ key }) => key === 'bridge')
  const labels = bridge ? entriesOf(bridge.value, '`bridge`') : []
  return Object.fromEntries(labels.flatMap(({ key, value: label }) => {
    const text = filledText(label, `\`${key}\``, reader)
    return text === undefined ? [] : [[key, text]]
  }))
}

function readPool(value: YamlValue, reader: ComposeReader): readonly AddressPool[] {
  const find = fieldsOf(value, 'an address pool', { modelled: ['base', 'size'], harmless: [], open: {} }, reader)
  const [baseEntry, sizeEntry] = [find('base'), find('size')]
  const base = baseEntry && filledSubnet(baseEntry.value, '`base`', reader)
  if (!base || !baseEntry || !sizeEntry) {
    if (!baseEntry || !sizeEntry) complain(value.reader, 'bad-value', value.span, 'an address pool needs `base` and `size`', 'such as { base: 10.10.0.0/16, size: 24 }')
    return []
  }
  const size = filledNumber(sizeEntry.value, '`size`', base.length, familyOf(base.address) === 'ipv4' ? 32 : 128, reader)
  return size === undefined ? [] : [{ base: prefixAround(base.address, base.length), size }]
}

function readSwarm(value: YamlValue, reader: ComposeReader): DaemonOptions['swarm'] {
  const find = fieldsOf(value, '`swarm`', { modelled: ['ports', 'tasks'], harmless: [], open: {} }, reader)
  const [tasks, ports] = [find('tasks'), find('ports')]
  return { tasks: tasks ? (filledNumber(tasks.value, '`tasks`', 0, 10000, reader) ?? 0) : 0, ports: ports ? itemsOf(ports.value).flatMap(item => readSwarmPort(item, reader)) : [] }
}

function readSwarmPort(value: YamlValue, reader: ComposeReader): readonly SwarmPort[] {
  const find = fieldsOf(value, 'a port of the swarm', { modelled: ['protocol', 'published', 'target'], harmless: [], open: {} }, reader)
  const number = (key: string): number | undefined => {
    const entry = find(key)
    return entry && filledNumber(entry.value, `\`${key}\``, 1, 65535, reader)
  }
  const entry = find('protocol')
  const text = entry ? filledText(entry.value, '`protocol`', reader) : 'tcp'
  const protocol = PORT_PROTOCOLS.find(name => name === text)
  const [published, target] = [number('published'), number('target')]
  if (!protocol) complain(value.reader, 'bad-value', entry?.value.span ?? value.span, `\`${text}\` cannot be published`, 'tcp, udp and sctp can')
  return protocol && published !== undefined ? [{ protocol, published, target: target ?? published }] : []
}
