# The image of kubermesh: meshd, meshctl, the CNI plugins and nft, with the libraries they need, and nothing else.
#
#   docker buildx build --platform linux/amd64,linux/arm64 --tag REGISTRY/kubermesh:VERSION --push .
#
# Programs built outside, as by a build server of its own for each platform, are taken instead of compiling here with
#
#   scripts/build-release dist
#   docker build --build-arg BINARIES=dist --build-arg BUILD_IMAGE=debian:bookworm-slim .
#
# Both images must be of one Debian release, so that the programs find the libraries they were linked with.
ARG BUILD_IMAGE=swift:6.2-bookworm
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${BUILD_IMAGE} AS build
ARG BINARIES=source
WORKDIR /src
COPY . .
RUN if [ "${BINARIES}" = dist ]; then cp -R dist /out; \
    else scripts/install-dependencies build && scripts/build-release /out; fi

FROM ${BASE_IMAGE} AS files
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        containernetworking-plugins libnl-route-3-200 libstdc++6 nftables
COPY --from=build /out/ /usr/local/bin/
COPY scripts/collect-files /
RUN /collect-files /image /usr/local/bin/meshd /usr/sbin/nft \
        /usr/lib/cni/bridge /usr/lib/cni/host-local /usr/lib/cni/loopback /usr/lib/cni/portmap /usr/lib/cni/ptp \
    && ln -s meshd /image/usr/local/bin/meshctl

FROM scratch
COPY --from=files /image/ /
ENV PATH=/usr/local/bin:/usr/sbin
ENTRYPOINT ["/usr/local/bin/meshd"]
