# The wholesale gateway.  "make run" and "make test" are all one needs to know.

# release (with -O2), debug (with -O0) or sanitize (ASan and UBSan)
BUILD ?= release

# the source of the nginx that will load the module
NGINX_BIN ?= /usr/sbin/nginx
NGINX_SRC ?= /usr/share/nginx/src

PYTHON ?= /usr/bin/python3

# tests at a time: most of them wait most of the time
JOBS ?= 3
CC ?= cc

MODULES_PATH ?= /usr/lib/nginx/modules
CONF_PATH ?= /etc/nginx
BIN_PATH ?= /usr/bin

SOURCES = ngx_wholesale_module
ROOMS = module contract tenants limits redis credentials metrics

OUT_release = build
OUT_debug = build/debug
OUT_sanitize = build/sanitize
OUT_coverage = build/coverage
OUT := $(OUT_$(BUILD))

ifeq ($(OUT),)
$(error BUILD must be release, debug or sanitize)
endif

OPT_release = -O2
OPT_debug = -O0 -g3
OPT_sanitize = -O1 -fno-omit-frame-pointer -fsanitize=address,undefined
OPT_coverage = -O0 --coverage
OPT := $(OPT_$(BUILD))
LD_sanitize = -fsanitize=address,undefined

# what nginx, which has no sanitizer, needs to load a module that has

PRELOAD = $(if $(LD_$(BUILD)),$(shell $(CC) -print-file-name=libasan.so))

MODULE := $(OUT)/ngx_http_wholesale_module.so

NGINX_OBJ := $(CURDIR)/$(OUT)/nginx

MODULE_FILES := $(wildcard $(ROOMS:%=$(SOURCES)/%/*.[ch]))

# the status page, which is compiled in

PAGE := $(NGINX_OBJ)/ngx_http_wholesale_page.h
PAGE_FILES := $(wildcard $(SOURCES)/page/*)

# what is compiled without nginx: for unit tests and fuzzing

PURE := $(wildcard $(SOURCES)/contract/*.c $(SOURCES)/tenants/*.c \
                   $(SOURCES)/limits/wholesale_*.c \
                   $(SOURCES)/credentials/wholesale_*.c)
PURE_OBJ := $(PURE:$(SOURCES)/%.c=$(OUT)/pure/%.o)
PURE_LIB := $(OUT)/pure/libwholesale.a
PURE_HEADERS := $(wildcard $(SOURCES)/contract/*.h $(SOURCES)/tenants/*.h \
                           $(SOURCES)/limits/wholesale_*.h \
                           $(SOURCES)/credentials/wholesale_*.h)

PURE_CFLAGS = -std=gnu99 -g -W -Wall -Wextra -Wpointer-arith \
              -Wno-unused-parameter -Werror $(OPT) $(ROOMS:%=-I$(SOURCES)/%)

# what stands on nginx's core, and is fuzzed without nginx

REDIS_SOURCES = $(filter-out %_ssl.c,$(wildcard $(SOURCES)/redis/*.c)) \
                $(SOURCES)/limits/ngx_wholesale_redis_limits.c \
                tests/fuzz/core.c
REDIS_HEADERS = $(wildcard $(SOURCES)/redis/*.h $(SOURCES)/limits/*.h \
                           tests/fuzz/*.h)
NGINX_INCLUDES := $(patsubst %,-isystem $(NGINX_OBJ)/src/src/%,core event \
                             event/modules event/quic os/unix) \
                  -isystem $(NGINX_OBJ)

UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

# each package for one reason; see README.md

RUN_PACKAGES = gcc libc6-dev nginx nginx-dev libjansson-dev libhiredis-dev \
               python3 openssl ca-certificates curl
TEST_PACKAGES = $(RUN_PACKAGES) libcmocka-dev python3-pytest \
                python3-pytest-xdist python3-h2 redis-server
BENCH_PACKAGES = $(RUN_PACKAGES) wrk redis-server libnginx-mod-http-lua \
                 lua-cjson
FUZZ_PACKAGES = $(RUN_PACKAGES) clang
PAGE_PACKAGES = $(TEST_PACKAGES) chromium chromium-driver python3-selenium \
                fonts-dejavu-core
MONITORING_PACKAGES = $(TEST_PACKAGES) prometheus
LINT_PACKAGES = $(RUN_PACKAGES) clang clang-tidy cppcheck
DEB_PACKAGES = build-essential nginx-dev libjansson-dev libhiredis-dev \
               libssl-dev

PYTEST_RUN = BUILD=$(BUILD) WHOLESALE_MODULE=$(CURDIR)/$(MODULE) \
             NGINX_BIN=$(NGINX_BIN) WHOLESALE_PRELOAD=$(PRELOAD) \
             PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m pytest -q \
             -p no:cacheprovider

FUZZ_SECONDS ?= 60
SUITES ?= bookworm trixie

QUICK ?=
BENCH_REPORT = $(if $(QUICK),build/bench/QUICK.md,bench/results/LATEST.md)

# of the long run; its report goes to $(REPORT), if that is set, too
MINUTES ?= 3

COVERAGE_ROOM ?= contract
COVERAGE_LEAST ?= 95


.PHONY: help deps build run test unit replay gateway page screenshot \
        monitoring coverage soak fuzz bench lint install deb matrix image \
        clean


## help: what can be made
help:
	@sed -n 's/^## \([a-z]*\): */  make \1\t/p' Makefile | expand -t 18
	@echo
	@echo '  BUILD=release|debug|sanitize   PORT= REDIS= WEBEX= TOKEN_FILE='


## deps: installs the packages that building and running need
deps:
	@.ci/packages $(RUN_PACKAGES)


## build: compiles the module into build/
build: deps
	@$(MAKE) --no-print-directory $(MODULE)


## run: starts the gateway and a stand-in for Webex on 127.0.0.1:8080
run: build
	@exec env MODULE=$(CURDIR)/$(MODULE) NGINX_BIN=$(NGINX_BIN) \
	    PRELOAD=$(PRELOAD) $(PYTHON) -B tests/sandbox/run


## test: runs all tests
test:
	@.ci/packages $(TEST_PACKAGES)
	@$(MAKE) --no-print-directory $(MODULE)
	@$(MAKE) --no-print-directory unit replay gateway


# tests of the sources that need no nginx
unit: $(UNIT_TESTS:%=$(OUT)/unit/%)
	@for test in $(UNIT_TESTS); do \
	    echo "$$test"; $(OUT)/unit/$$test || exit 1; \
	done


# what the fuzzers have found so far, without fuzzing
replay: $(FUZZERS:%=$(OUT)/fuzz/replay_%)
	@for fuzzer in $(FUZZERS); do \
	    $(OUT)/fuzz/replay_$$fuzzer tests/fuzz/corpus/$$fuzzer/* || exit 1; \
	done


# real nginx, real connections; the sandbox stands in for Webex
gateway: $(MODULE)
	@$(PYTEST_RUN) --basetemp=$(OUT)/tests -n $(JOBS) --dist loadfile \
	    tests/sandbox tests/gateway $(PYTEST)


## page: tests the status page in a headless Chromium
page:
	@.ci/packages $(PAGE_PACKAGES)
	@$(MAKE) --no-print-directory $(MODULE)
	@$(PYTEST_RUN) --basetemp=$(OUT)/page-tests tests/page $(PYTEST)


## screenshot: makes docs/status.png anew
screenshot:
	@$(MAKE) --no-print-directory page \
	    SCREENSHOT=$(CURDIR)/docs/status.png PYTEST="-k truth"


## monitoring: tests the Prometheus alerts and the Grafana dashboard
monitoring:
	@.ci/packages $(MONITORING_PACKAGES)
	@$(MAKE) --no-print-directory $(MODULE)
	@$(PYTEST_RUN) --basetemp=$(OUT)/monitoring-tests tests/monitoring \
	    $(PYTEST)


## soak: runs for MINUTES=3 while everything goes wrong, and counts
soak:
	@.ci/packages $(TEST_PACKAGES)
	@$(MAKE) --no-print-directory $(MODULE)
	@WHOLESALE_MODULE=$(CURDIR)/$(MODULE) NGINX_BIN=$(NGINX_BIN) \
	    WHOLESALE_PRELOAD=$(PRELOAD) $(PYTHON) -B tests/soak/soak.py \
	    $(MINUTES) $(REPORT)


## coverage: how much of the contract's code the unit tests run
coverage:
	@.ci/packages $(TEST_PACKAGES)
	@rm -rf build/coverage
	@$(MAKE) --no-print-directory unit replay BUILD=coverage >/dev/null
	@.ci/coverage build/coverage/pure/$(COVERAGE_ROOM) $(COVERAGE_LEAST)


## fuzz: fuzzes each target for FUZZ_SECONDS=60
fuzz:
	@.ci/packages $(FUZZ_PACKAGES)
	@.ci/packages libclang-rt-$$(clang -dumpversion | cut -d. -f1)-dev
	@$(MAKE) --no-print-directory $(FUZZERS:%=build/fuzz/fuzz_%)
	@for fuzzer in $(FUZZERS); do \
	    mkdir -p build/fuzz/corpus/$$fuzzer; \
	    echo "fuzzing $$fuzzer for $(FUZZ_SECONDS) s"; \
	    build/fuzz/fuzz_$$fuzzer -max_total_time=$(FUZZ_SECONDS) \
	        -max_len=65536 -timeout=10 -verbosity=0 -print_final_stats=1 \
	        -artifact_prefix=build/fuzz/ build/fuzz/corpus/$$fuzzer \
	        tests/fuzz/corpus/$$fuzzer || exit 1; \
	done


## bench: measures the gateway beside nginx and peers; QUICK=1 only tries it
bench:
	@.ci/packages $(BENCH_PACKAGES)
	@$(MAKE) --no-print-directory build/ngx_http_wholesale_module.so
	@$(MAKE) --no-print-directory build/bench_contract build/bench_delay
	@NGINX_BIN=$(NGINX_BIN) MODULE=$(CURDIR)/build/ngx_http_wholesale_module.so \
	    QUICK=$(QUICK) $(PYTHON) -B bench/bench.py $(BENCH_REPORT)
	@build/bench_contract tests/gateway/reference.json


## lint: checks the style, and looks for bugs without running anything
lint:
	@.ci/packages $(LINT_PACKAGES)
	@$(MAKE) --no-print-directory $(MODULE)
	@$(PYTHON) -B .ci/style
	@NGINX_SRC=$(NGINX_SRC) NGINX_OBJ=$(NGINX_OBJ) .ci/analyse


## install: puts the module and its configuration where nginx looks for them
install: build
	install -d $(DESTDIR)$(MODULES_PATH) $(DESTDIR)$(CONF_PATH) \
	    $(DESTDIR)$(BIN_PATH)
	install $(SOURCES)/tenants/wholesale-key $(DESTDIR)$(BIN_PATH)
	install -m 644 $(MODULE) $(DESTDIR)$(MODULES_PATH)
	install -m 644 $(SOURCES)/module/wholesale_proxy.conf \
	    $(SOURCES)/module/wholesale_log.conf $(DESTDIR)$(CONF_PATH)


## deb: builds a package for this Debian's nginx into build/deb/
deb:
	@.ci/packages $(DEB_PACKAGES)
	@rm -rf build/deb
	@mkdir -p build/deb/source
	@cp -r config debian docs $(SOURCES) *.md LICENSE build/deb/source
	@. /etc/os-release && sed -i "1s/)/~deb$$VERSION_ID)/" \
	    build/deb/source/debian/changelog
	@cd build/deb/source && dpkg-buildpackage --no-sign --build=binary
	@rm -r build/deb/source
	@ls build/deb/*.deb


## matrix: tests in a fresh Debian 12 and 13 each, as root; SUITES=
matrix:
	@.ci/packages debootstrap git iproute2 python3
	@tests/matrix/run $(SUITES)


## image: builds the container images, and runs them, as root
image:
	@docker/check


## clean: removes build/
clean:
	rm -rf build


# The module is built by nginx's own build system, which writes beside its
# sources: so it works on links to them.

$(MODULE): $(NGINX_OBJ)/Makefile $(MODULE_FILES) $(PAGE)
	@$(MAKE) --no-print-directory -s -f $(NGINX_OBJ)/Makefile \
	    -C $(NGINX_OBJ)/src modules
	@cp $(NGINX_OBJ)/ngx_http_wholesale_module.so $@
	@echo "$@"

$(NGINX_OBJ)/Makefile: config .ci/configure $(NGINX_OBJ)/sources
	@NGINX_BIN=$(NGINX_BIN) NGINX_SRC=$(NGINX_SRC) .ci/configure $(NGINX_OBJ) \
	    "$(OPT)" "$(LD_$(BUILD))"

$(PAGE): $(PAGE_FILES) | $(NGINX_OBJ)/Makefile
	@$(SOURCES)/page/embed header > $@ || { rm -f $@; exit 1; }

$(NGINX_OBJ)/sources: .FORCE
	@mkdir -p $(@D)
	@echo "$(NGINX_BIN) $(NGINX_SRC) $(MODULE_FILES)" | cmp -s - $@ \
	    || echo "$(NGINX_BIN) $(NGINX_SRC) $(MODULE_FILES)" > $@

.PHONY: .FORCE
.FORCE:


$(OUT)/pure/%.o: $(SOURCES)/%.c $(PURE_HEADERS) Makefile
	@mkdir -p $(@D)
	$(CC) $(PURE_CFLAGS) -c -o $@ $<

$(PURE_LIB): $(PURE_OBJ)
	@rm -f $@
	ar rcs $@ $^

# a test of what happens when memory ends stands in for those who give it

$(OUT)/unit/%_memory: UNIT_LDFLAGS = -Wl,--wrap=malloc,--wrap=calloc \
                                     -Wl,--wrap=realloc,--wrap=free

$(OUT)/unit/%: tests/unit/%.c $(wildcard tests/unit/*.h) $(PURE_LIB)
	@mkdir -p $(@D)
	$(CC) $(PURE_CFLAGS) -o $@ $< $(PURE_LIB) $(UNIT_LDFLAGS) \
	    -ljansson -lcmocka -lcrypto

$(OUT)/fuzz/replay_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(PURE_LIB)
	@mkdir -p $(@D)
	$(CC) $(PURE_CFLAGS) -o $@ $< tests/fuzz/replay.c $(PURE_LIB) \
	    -ljansson -lcrypto

build/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(PURE) $(PURE_HEADERS)
	@mkdir -p $(@D)
	clang -std=gnu99 -g -O1 -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=undefined $(ROOMS:%=-I$(SOURCES)/%) -o $@ $< \
	    $(PURE) -ljansson -lcrypto

# nginx's headers, and tests/fuzz/core.c in place of its core

$(OUT)/fuzz/replay_redis_reply: tests/fuzz/fuzz_redis_reply.c \
    tests/fuzz/replay.c $(REDIS_SOURCES) $(REDIS_HEADERS) $(PURE_LIB) \
    $(NGINX_OBJ)/Makefile
	@mkdir -p $(@D)
	$(CC) $(PURE_CFLAGS) $(NGINX_INCLUDES) -o $@ \
	    $(filter %.c,$^) $(PURE_LIB) -lhiredis -ljansson

build/fuzz/fuzz_redis_reply: tests/fuzz/fuzz_redis_reply.c $(REDIS_SOURCES) \
    $(REDIS_HEADERS) $(PURE) $(PURE_HEADERS) $(NGINX_OBJ)/Makefile
	@mkdir -p $(@D)
	clang -std=gnu99 -g -O1 -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=undefined $(ROOMS:%=-I$(SOURCES)/%) \
	    $(NGINX_INCLUDES) -o $@ $(filter %.c,$^) \
	    -lhiredis -ljansson -lcrypto

build/bench_delay: bench/delay.c
	@mkdir -p $(@D)
	$(CC) -std=gnu99 -W -Wall -Wextra -Werror -O2 -o $@ $<

build/bench_contract: bench/contract.c build/pure/libwholesale.a
	$(CC) -std=gnu99 -W -Wall -Wno-unused-parameter -Werror -O2 \
	    $(ROOMS:%=-I$(SOURCES)/%) -o $@ $^ \
	    -ljansson
