#include <netlink/netlink.h>
#include <netlink/msg.h>
#include <netlink/attr.h>
#include <netlink/socket.h>
#include <linux/rtnetlink.h>
#include <linux/nexthop.h>
#include <linux/netconf.h>
#include <linux/neighbour.h>
