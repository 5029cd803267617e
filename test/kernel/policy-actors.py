"""Servers that tell their name and who calls, and clients that try many connections at once. Run in the namespaces of the policy test."""
import json, os, socket, struct, sys, threading

def family(address):
    return socket.AF_INET6 if ':' in address else socket.AF_INET

def plain(address):
    return address[7:] if address.startswith('::ffff:') else address

def serve(name, ports):
    for port in ports:
        kind, number = port.split(':')
        for fam, any_address in ((socket.AF_INET, '0.0.0.0'), (socket.AF_INET6, '::')):
            sock = socket.socket(fam, socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if fam == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((any_address, int(number)))
            if kind == 'tcp':
                sock.listen(64)
            threading.Thread(target=answer, args=(name, kind, int(number), sock), daemon=True).start()
    print('ready', flush=True)
    sys.stdin.read()

def answer(name, kind, port, sock):
    while True:
        if kind == 'tcp':
            connection, peer = sock.accept()
            connection.sendall(f'{name}:{port} {plain(peer[0])}'.encode())
            connection.close()
        else:
            data, peer = sock.recvfrom(100)
            sock.sendto(f'{name}:{port} {plain(peer[0])}'.encode(), peer)

def attempt(case, results, index, timeout):
    try:
        results[index] = ping(case, index, timeout) if case['protocol'] == 'icmp' else dial(case, timeout)
    except OSError as error:
        results[index] = f'nothing ({error.__class__.__name__} {error})'

def dial(case, timeout):
    sock = socket.socket(family(case['address']), socket.SOCK_STREAM if case['protocol'] == 'tcp' else socket.SOCK_DGRAM)
    sock.settimeout(timeout)
    sock.bind((case['source'], 0))
    sock.connect((case['address'], case['port']))
    if case['protocol'] == 'udp':
        sock.send(b'x')
    return sock.recv(100).decode()

def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff

def ping(case, index, timeout):
    fam = family(case['address'])
    sock = socket.socket(fam, socket.SOCK_RAW, socket.IPPROTO_ICMP if fam == socket.AF_INET else socket.IPPROTO_ICMPV6)
    sock.settimeout(timeout)
    sock.bind((case['source'], 0))
    ident = (os.getpid() + index) & 0xffff
    request = struct.pack('!BBHHH', 8 if fam == socket.AF_INET else 128, 0, 0, ident, 1)
    if fam == socket.AF_INET:
        request = request[:2] + struct.pack('!H', checksum(request)) + request[4:]
    sock.sendto(request, (case['address'], 0))
    while True:
        data, _ = sock.recvfrom(200)
        data = data[(data[0] & 15) * 4:] if fam == socket.AF_INET else data
        if data[0] == (0 if fam == socket.AF_INET else 129) and struct.unpack('!H', data[4:6])[0] == ident:
            return 'echo'

if __name__ == '__main__':
    if sys.argv[1] == 'serve':
        serve(sys.argv[2], sys.argv[3:])
    else:
        cases = json.load(sys.stdin)
        results = [None] * len(cases)
        threads = [threading.Thread(target=attempt, args=(case, results, index, float(sys.argv[2]))) for index, case in enumerate(cases)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(json.dumps(results))
