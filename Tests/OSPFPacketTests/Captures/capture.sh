#!/bin/bash
# Makes the captures beside this script: six routers in network namespaces, four of FRR and two of BIRD, on
# point-to-point links, one shared segment, and three areas, so that every packet type and every LSA type of RFC 5340
# goes over a wire. Needs root and: frr, bird2, tcpdump, iproute2. Takes a minute.
#
#     a ──area 0── b ══╤══ area 0, shared ══ c (BIRD) ──area 1── e
#                  │   d
#                  └──area 2 (NSSA)── f (BIRD)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d /tmp/mesh-capture.XXXXXX)
chmod 755 "$work"
prefix=mesh-packet
nodes=(a b c d e f)
started=()

cleanup() {
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    sleep 0.5
    for node in "${nodes[@]}" sw; do ip netns del $prefix-$node 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT

inside() { local node=$1; shift; ip netns exec $prefix-$node "$@"; }

# link NODE PORT NODE PORT: a cable whose two ends never have the same interface index.
link() {
    ip link add "$2" netns $prefix-$1 type veth peer name "$4" netns $prefix-$3
    inside $1 ip link set "$2" up
    inside $3 ip link set "$4" up
}

for node in "${nodes[@]}" sw; do
    ip netns add $prefix-$node
    inside $node sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.forwarding=1
    inside $node ip link set lo up
done
inside sw ip link add br0 type bridge mcast_snooping 0
inside sw ip link set br0 up
for node in b c c; do inside $node ip link add type veth; done
link a ab b ba
for node in b c d; do
    link $node lan sw sw-$node
    inside sw ip link set sw-$node master br0
done
link c ce e ec
link b bf f fb
number=1
for node in "${nodes[@]}"; do
    inside $node ip link add stub0 type veth peer name stub1
    inside $node ip link set stub1 up
    inside $node ip link set stub0 up
    inside $node ip address add 2001:db8:0:$number::1/64 dev stub0 nodad
    inside $node ip address add 2001:db8::$number/128 dev stub0 nodad
    number=$((number + 1))
done

# frr NODE: starts zebra, staticd and ospf6d with the configuration on standard input.
frr() {
    local node=$1 dir=$work/$1
    mkdir -p "$dir"
    cat >"$dir/conf"
    chown -R frr:frr "$dir"
    for daemon in zebra staticd ospf6d; do
        inside $node sh -c "mount -t tmpfs tmpfs /var/tmp && exec /usr/lib/frr/$daemon -u frr -g frr --log stdout \
            -f $dir/conf -i $dir/$daemon.pid -z $dir/zserv.api --vty_socket $dir" >"$dir/$daemon.log" 2>&1 &
        started+=($!)
        for _ in $(seq 50); do [ -S "$dir/$daemon.vty" ] && break; sleep 0.1; done
    done
}

# bird_node NODE: starts BIRD with the configuration on standard input.
bird_node() {
    local node=$1 dir=$work/$1
    mkdir -p "$dir"
    cat >"$dir/conf"
    inside $node bird -f -c "$dir/conf" -s "$dir/ctl" -P "$dir/pid" >"$dir/log" 2>&1 &
    started+=($!)
}

port() { # port NAME AREA TYPE
    printf 'interface %s\n ipv6 ospf6 area %s\n ipv6 ospf6 hello-interval 1\n ipv6 ospf6 dead-interval 4\n' "$1" "$2"
    [ -z "${3:-}" ] || printf ' ipv6 ospf6 network %s\n' "$3"
    printf '!\n'
}

for spec in a:ab:point-to-point b:lan:shared b:bf:nssa c:ce:inter-area; do
    IFS=: read -r node interface file <<<"$spec"
    inside $node tcpdump -q -U -n -i "$interface" -w "$work/$file.pcap" 'ip6 proto 89' 2>/dev/null &
    started+=($!)
done
sleep 1

frr a <<X
ipv6 route 2001:db8:a000::/40 blackhole tag 77
$(for i in $(seq 1 80); do printf 'ipv6 route 2001:db8:a%02x0::/44 blackhole\n' "$i"; done)
$(port ab 0.0.0.0 point-to-point)
$(port stub0 0.0.0.0)
router ospf6
 ospf6 router-id 10.0.0.1
 redistribute static metric 30 metric-type 1
 default-information originate always metric 10 metric-type 2
X
frr b <<X
$(port ba 0.0.0.0 point-to-point)
$(port lan 0.0.0.0)
$(port bf 0.0.0.2 point-to-point)
$(port stub0 0.0.0.0)
router ospf6
 ospf6 router-id 10.0.0.2
 area 0.0.0.2 nssa
X
frr d <<X
$(port lan 0.0.0.0)
$(port stub0 0.0.0.0)
router ospf6
 ospf6 router-id 10.0.0.4
X
frr e <<X
ipv6 route 2001:db8:e000::/40 blackhole tag 4711
$(port ec 0.0.0.1 point-to-point)
$(port stub0 0.0.0.1)
router ospf6
 ospf6 router-id 10.0.0.5
 redistribute static
X
bird_node c <<X
router id 10.0.0.3;
protocol device {}
protocol ospf v3 {
    ipv6 { import all; export none; };
    area 0 {
        interface "lan" { type broadcast; hello 1; dead 4; cost 5; priority 10; };
        interface "stub0" { stub; };
    };
    area 0.0.0.1 { interface "ce" { type ptp; hello 1; dead 4; cost 7; }; };
}
X
bird_node f <<X
router id 10.0.0.6;
protocol device {}
protocol static { ipv6; route 2001:db8:f000::/40 blackhole; route 2001:db8:f100::/40 blackhole; }
protocol ospf v3 {
    ipv6 { import all; export where source = RTS_STATIC; };
    area 0.0.0.2 {
        nssa;
        interface "fb" { type ptp; hello 1; dead 4; cost 9; };
        interface "stub0" { stub; };
    };
}
X

sleep 20
# Something ages out, something changes, and the designated router has to be elected anew.
inside e ip address del 2001:db8:0:5::1/64 dev stub0
inside f birdc -s "$work/f/ctl" disable static1 >/dev/null
inside c ip link set lan down
sleep 8
inside c ip link set lan up
sleep 12
for file in point-to-point shared nssa inter-area; do cp "$work/$file.pcap" "$here/$file.pcap"; done
