# svckit: GNU make, no configure.  `make help` lists the targets.

PREFIX  ?= /usr/local
DESTDIR ?=
BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR  ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
UNITDIR ?= $(PREFIX)/lib/systemd/system

CFLAGS  ?= -O2 -g
LDFLAGS ?=
PKG_CONFIG ?= pkg-config

# A new utility is one word here and four files of its name: cmd/X.c, man/X.*,
# tests/X.bats, completions/*/X.
TOOLS := svc-register svc-discover svc-call svc-watch task-schedule task-run \
	task-submit task-status task-worker

# Debian's names of what building, the demo, the tests and the lint need.
DEBS := gcc libc6-dev pkg-config libcurl4-openssl-dev libcjson-dev libbsd-dev \
	libevent-dev libsmartcols-dev bash bats parallel jq curl git python3 \
	mandoc shellcheck clang clang-format cppcheck binutils zsh fish procps \
	strace time openssl nginx-light haproxy \
	iproute2
# What `make bench` compares with, where it is there.
BENCH_DEBS := hey etcd-client etcd-server inotify-tools nq task-spooler

BUILD := build
WARN := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wvla -Wformat=2
ifeq ($(SANITIZE),1)
BUILD := build/sanitize
HARDEN := -fPIE -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
LINK := -pie -fsanitize=address,undefined
else
HARDEN := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
	-fstack-clash-protection -fPIE
LINK := -pie -Wl,-z,relro,-z,now
endif
# Fortification needs optimisation; glibc warns otherwise.
ifneq ($(filter -O0,$(CFLAGS)),)
HARDEN := $(filter-out -D_FORTIFY_SOURCE=2,$(HARDEN))
endif
# Of the two runtimes only gcc's takes this flag without a warning.
COMPILE = $(CC) $(WARN) $(HARDEN) -Icommon -Icmd -MMD -MP $(CPPFLAGS) $(CFLAGS)

# Libraries per utility: what talks to no network must not load libcurl.  Not
# expanded before it is used, since `make deps` may have to install pkg-config.
LIBS_base  = $(shell $(PKG_CONFIG) --libs libcjson libbsd libmd) -lm
LIBS_event = $(shell $(PKG_CONFIG) --libs libevent_extra libevent_core)
LIBS_curl  = $(shell $(PKG_CONFIG) --libs libcurl)
LIBS_table = $(shell $(PKG_CONFIG) --libs smartcols)
LIBS_svc-register = $(LIBS_event)
LIBS_svc-discover = $(LIBS_table)
LIBS_svc-call     = $(LIBS_curl) $(LIBS_event) -lresolv
LIBS_svc-watch    = $(LIBS_event)
LIBS_task-run     = $(LIBS_curl) $(LIBS_event) -lresolv
LIBS_task-status  = $(LIBS_table)
LIBS_task-submit  = -lresolv
LIBS_task-worker  = $(LIBS_event)
LIBS_paced_server = $(LIBS_event)

# Scans whose loops are to become vector instructions.  Not what lets the
# compiler change results: sums and comparisons stay IEEE 754's.
FLAGS_room_scan = -O3 -fopenmp-simd -fno-trapping-math -ffp-contract=off

LIB_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard common/*/*.c))
LIB     := $(BUILD)/libsvckit.a
CLI_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard cmd/cli*.c))
CLI     := $(BUILD)/libcli.a
BIN     := $(TOOLS:%=$(BUILD)/bin/%)
UNIT    := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*.c))
BENCH   := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))

Q := $(if $(filter 1,$(V)),,@)

all: $(or $(BIN),$(error TOOLS names no utility))

# With `make deps demo` what is built waits for what is installed.
$(BUILD)/obj/%.o: %.c | $(filter deps,$(MAKECMDGOALS))
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(FLAGS_$(notdir $*)) -c -o $@ $<

$(LIB): $(LIB_OBJ)
	$(Q)rm -f $@ && $(AR) rc $@ $^

$(CLI): $(CLI_OBJ)
	$(Q)rm -f $@ && $(AR) rc $@ $^

$(BUILD)/bin/%: $(BUILD)/obj/cmd/%.o $(CLI) $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ $(LIBS_$*) $(LIBS_base)

$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ $(LIBS_curl) \
		$(LIBS_event) $(LIBS_table) -lresolv $(LIBS_base)

$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ $(LIBS_$*) $(LIBS_base)
LIBS_curl_loop = $(LIBS_curl)
LIBS_empty_discover = -Wl,--no-as-needed $(LIBS_svc-discover)

check: $(BIN) $(UNIT)
	$(Q)SVCKIT_BUILD=$(abspath $(BUILD)) tests/run

lint: $(BIN)
	$(Q)SVCKIT_BUILD=$(abspath $(BUILD)) tests/lint/run

bench: $(BIN) $(BENCH)
	$(Q)SVCKIT_BUILD=$(abspath $(BUILD)) tests/bench/run

bench-quality: $(BIN) $(BENCH)
	$(Q)SVCKIT_BUILD=$(abspath $(BUILD)) tests/bench/quality

# A million tasks in the queue, while submitters and schedulers are killed.
SOAK ?= 1000000
soak: $(BIN)
	$(Q)mkdir -p $(BUILD)/soak && cd $$(mktemp -d $(abspath $(BUILD))/soak/XXXXXX) && \
		PATH=$(abspath $(BUILD))/bin:$$PATH $(CURDIR)/tests/lib/queue-storm $(SOAK)

demo: $(BIN)
	$(Q)SVCKIT_BUILD=$(abspath $(BUILD)) tests/demo/wordcount

deps:
	$(Q)tests/lib/install-debs $(DEBS)

bench-deps:
	$(Q)tests/lib/install-debs $(BENCH_DEBS)

install: $(BIN)
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(BASHDIR) \
		$(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR) $(DESTDIR)$(UNITDIR)
	install $(BIN) $(DESTDIR)$(BINDIR)
	for page in man/*.[1-8]; do \
		dir=$(DESTDIR)$(MANDIR)/man$${page##*.}; \
		install -d $$dir && install -m 644 $$page $$dir || exit 1; done
	install -m 644 completions/bash/* $(DESTDIR)$(BASHDIR)
	install -m 644 completions/zsh/* $(DESTDIR)$(ZSHDIR)
	install -m 644 completions/fish/* $(DESTDIR)$(FISHDIR)
	for unit in cmd/systemd/*; do \
		to=$(DESTDIR)$(UNITDIR)/$${unit##*/}; \
		sed 's|/usr/local/bin|$(BINDIR)|' $$unit >$$to && \
		chmod 644 $$to || exit 1; done

uninstall:
	cd $(DESTDIR)$(BINDIR) && rm -f $(TOOLS)
	for page in man/*.[1-8]; do \
		rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done
	cd $(DESTDIR)$(BASHDIR) && rm -f $(notdir $(wildcard completions/bash/*))
	cd $(DESTDIR)$(ZSHDIR) && rm -f $(notdir $(wildcard completions/zsh/*))
	cd $(DESTDIR)$(FISHDIR) && rm -f $(notdir $(wildcard completions/fish/*))
	cd $(DESTDIR)$(UNITDIR) && rm -f $(notdir $(wildcard cmd/systemd/*))

VERSION = $(shell sed -n 's/.*SVCKIT_VERSION "\(.*\)"/\1/p' common/line/version.h)
dist:
	@mkdir -p build
	git archive --prefix=svckit-$(VERSION)/ -o build/svckit-$(VERSION).tar.gz HEAD

clean:
	rm -rf build

help:
	@echo 'all        build the utilities into $(BUILD)/bin (the default)'
	@echo 'deps       install the Debian packages that are missing'
	@echo 'soak       SOAK tasks in the queue ($(SOAK)) while all are killed'
	@echo 'demo       run the main job on real input and show the result'
	@echo 'check      run the whole test suite'
	@echo 'lint       check style, pages, options, headers, what links what'
	@echo 'bench      measure beside the peers that are installed (bench-deps)'
	@echo 'bench-quality  how good the plans and policies are, fixed seeds'
	@echo 'install    into PREFIX=$(PREFIX), below DESTDIR'
	@echo 'uninstall  remove exactly that'
	@echo 'dist       a tarball of HEAD in build/'
	@echo 'clean      remove build/'
	@echo 'V=1 shows commands; SANITIZE=1 builds and checks under ASan and UBSan'

.SECONDARY:
.PHONY: all check lint bench bench-quality soak demo deps bench-deps install uninstall dist clean help
-include $(LIB_OBJ:.o=.d) $(wildcard $(BUILD)/obj/cmd/*.d $(BUILD)/obj/tests/*/*.d)
