/** Services by the names that people use: what /etc/services calls otherwise, or with protocols that nobody means. */

/** `tcp/22` and the like, by name; ICMP messages stand in read-services.ts. */
export const KNOWN_SERVICES: Readonly<Record<string, string>> = {
  ssh: 'tcp/22', telnet: 'tcp/23', smtp: 'tcp/25', dns: 'udp/53 tcp/53', 'dns-tls': 'tcp/853', dhcp: 'udp/67', 'dhcp-client': 'udp/68', dhcpv6: 'udp/547', 'dhcpv6-client': 'udp/546',
  tftp: 'udp/69', http: 'tcp/80', kerberos: 'tcp/88 udp/88', pop3: 'tcp/110', ntp: 'udp/123', netbios: 'udp/137-138 tcp/139', imap: 'tcp/143', snmp: 'udp/161', 'snmp-trap': 'udp/162',
  bgp: 'tcp/179', ldap: 'tcp/389', https: 'tcp/443', http3: 'udp/443', smb: 'tcp/445', submission: 'tcp/587', submissions: 'tcp/465', syslog: 'udp/514', ldaps: 'tcp/636', rsync: 'tcp/873',
  imaps: 'tcp/993', pop3s: 'tcp/995', openvpn: 'udp/1194', mssql: 'tcp/1433', radius: 'udp/1812-1813', nfs: 'tcp/2049', mqtt: 'tcp/1883', mysql: 'tcp/3306', rdp: 'tcp/3389',
  ipsec: 'udp/500 udp/4500 esp', ike: 'udp/500 udp/4500', sip: 'udp/5060 tcp/5060', mdns: 'udp/5353', postgresql: 'tcp/5432', postgres: 'tcp/5432', vnc: 'tcp/5900', redis: 'tcp/6379',
  'http-alt': 'tcp/8080', prometheus: 'tcp/9090', 'node-exporter': 'tcp/9100', elasticsearch: 'tcp/9200', git: 'tcp/9418', memcached: 'tcp/11211', mongodb: 'tcp/27017',
  wireguard: 'udp/51820', kubernetes: 'tcp/6443', traceroute: 'udp/33434-33534',
}
