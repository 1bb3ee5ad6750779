// SPDX-License-Identifier: MIT
#include "serve_command.h"

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <iostream>

#include "allocator.h"
#include "base/clock.h"
#include "chance.h"
#include "config/config.h"
#include "config/snapshot.h"
#include "files.h"
#include "gateway/admin.h"
#include "gateway/gateway.h"
#include "gauges.h"
#include "ledger_service.h"
#include "net/handover.h"
#include "net/supervisor.h"
#include "policy/meter_words.h"
#include "store/memory_responses.h"
#include "store/sqlite_keys.h"
#include "store/sqlite_responses.h"
#include "telemetry/access_log.h"
#include "telemetry/log.h"
#include "telemetry/log_writer.h"
#include "telemetry/metrics.h"
#include "version.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;

// One running process: what it was started with, and what it does when the file changes or a signal comes.
class Service {
 public:
  explicit Service(ServeOptions options)
      : path_(std::move(options.config)),
        takeover_(options.takeover),
        serving_(std::move(options.serving)),
        log_(writer_, unix_ms),
        access_(log_),
        metrics_(std::string(version)),
        notifier_(process_environment("NOTIFY_SOCKET")) {
    block_signals();
  }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service() { ::close(signals_); }

  int run() {
    file_ = file_stamp(path_);  // before it is read: what changes from here on is noticed
    auto loaded = load();
    if (!loaded) return 2;
    if (!report(*loaded)) return 1;
    const ServerSettings server = loaded->config.server;
    if (const auto applied = log_.apply(choice(loaded->config)); !applied) return refuse(applied.error());
    shared_.version = version;
    shared_.started_unix_ms = unix_ms();
    shared_.return_memory = return_memory;
    shared_.meters.tell([this](const BudgetAlert& alert) { log_.say(LogLevel::warning, "{}", words(alert)); });
    shared_.sinks = {&access_, &metrics_};
    shared_.metrics_page = [this] {
      return metrics_.text({.gauges = gauges(shared_), .dropped_log_lines = writer_.dropped()});
    };
    if (const auto opened = open_storage(loaded->config); !opened) return refuse(opened.error());
    if (const auto opened = open_ledger(loaded->config); !opened) return refuse(opened.error());
    auto inherited = inherit(server);
    if (!inherited) return refuse(inherited.error());
    const auto directory = admin_->adopt(loaded->config);
    if (!directory) return refuse(*directory.error());
    auto snapshot = Snapshot::compile(std::move(loaded->config));
    tell_names(*snapshot);
    auto started = Gateway::start(shared_, snapshot, *directory, *inherited);
    if (!started) return refuse(started.error());
    gateway_ = std::move(*started);
    admin_->publish_by([this](const std::shared_ptr<const Directory>& to) {
      constexpr milliseconds patience(5'000);
      return gateway_->publish(to, patience);
    });
    welcome(*snapshot, server);
    replace(server);
    watch();
    return finish(current_grace_);
  }

 private:
  void block_signals() {
    std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c)
    sigset_t set;
    sigemptyset(&set);
    for (const int one : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, one);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  }

  // The next signal; 0 when the time is over or somebody is at the door.
  [[nodiscard]] int wait_signal(milliseconds most) const {
    std::array<pollfd, 2> on = {
        {{.fd = signals_, .events = POLLIN, .revents = 0}, {.fd = -1, .events = POLLIN, .revents = 0}}};
    if (door_) on[1].fd = door_->guest() >= 0 ? door_->guest() : door_->listening();
    ::poll(on.data(), on.size(), static_cast<int>(most.count()));
    signalfd_siginfo got{};
    return ::read(signals_, &got, sizeof got) == sizeof got ? static_cast<int>(got.ssi_signo) : 0;
  }

  // The sockets that we need not make: those of whoever started us, or of the process whose place we take.
  Result<net::Inherited> inherit(const ServerSettings& server) {
    const net::Supervision supervision{.listen_fds = process_environment("LISTEN_FDS"),
                                       .listen_pid = process_environment("LISTEN_PID"),
                                       .notify_socket = {}};
    if (takeover_) {
      const std::string at = server.handover_address();
      if (at == "none") {
        return fail(Fault::bad_request, "A takeover needs server.handover, which is none in this configuration.");
      }
      TRY(auto before, net::Predecessor::meet(at, milliseconds(10'000)));
      if (before) return predecessor_.emplace(*std::move(before)).take();
      log_.say(LogLevel::info, "nobody listens at {}: there is nothing to take over", at);
    }
    return net::activated_sockets(supervision, ::getpid());
  }

  // We serve: whoever is to know is told, and the process before us drains.
  void replace(const ServerSettings& server) {
    if (predecessor_) {
      const int before = predecessor_->pid();
      const bool left = predecessor_->replace();
      log_.say(LogLevel::info, "took over from process {}{}", before, left ? "" : ", which is gone already");
      predecessor_.reset();
    }
    if (const std::string at = server.handover_address(); at != "none") {
      auto door = net::HandoverDoor::open(at);
      if (door) {
        door_ = std::move(*door);
      } else {
        log_.say(LogLevel::warning, "nobody will be able to take over: {}", door.error()->message);
      }
    }
    notifier_.tell(fmt::format("READY=1\nMAINPID={}\nSTATUS=serves on {}", ::getpid(), gateway_->address()));
    if (serving_) serving_();
  }

  // True once a successor serves.
  bool meet_successor() {
    if (!door_) return false;
    using Said = net::HandoverDoor::Said;
    switch (door_->turn(gateway_->sockets())) {
      case Said::nothing: return false;
      case Said::stranger:
        log_.say(LogLevel::warning, "a process of another user asked for the sockets and was turned away");
        return false;
      case Said::asked: log_.say(LogLevel::info, "process {} asks to take over", door_->guest_pid()); return false;
      case Said::left:
        log_.say(LogLevel::warning, "process {} did not come to serve: we go on", door_->guest_pid());
        return false;
      case Said::serves: log_.say(LogLevel::info, "process {} has taken over", door_->guest_pid()); return true;
    }
    return false;
  }

  std::optional<Loaded> load() {
    text_.clear();
    if (!path_.empty()) {
      auto text = read_file(path_);
      if (!text) {
        std::cerr << "sluice: " << text.error()->message << '\n';
        return std::nullopt;
      }
      text_ = std::move(*text);
    }
    return load_config(text_, path_, process_environment);
  }

  [[nodiscard]] Result<void> open_storage(const Config& config) {
    constexpr std::string_view file = "sqlite:";
    if (config.storage.starts_with(file)) {
      const std::string path = config.storage.substr(file.size());
      TRY(shared_.responses, SqliteResponses::open(path, unix_ms));
      TRY(auto keys, SqliteKeys::open(path));
      TRY(admin_, Admin::open(std::move(keys), unix_ms, chance));
      TRY(const auto key, admin_->first_key());
      // To the terminal and nowhere else: a log is read by others.
      if (!key.empty()) std::cerr << "sluice: the admin key, told this once: " << key << '\n';
    } else {
      shared_.responses = std::make_unique<MemoryResponses>(unix_ms);
      TRY(admin_, Admin::open(nullptr, unix_ms, chance));
    }
    shared_.admin = admin_.get();
    bound_storage(config.server);
    return {};
  }

  [[nodiscard]] Result<void> open_ledger(const Config& config) {
    TRY(ledger_, LedgerService::open(config));
    if (!ledger_) return {};
    shared_.journal = &ledger_->journal();
    shared_.ledger = [this] { return ledger_->health(); };
    TRY(auto store, LedgerService::open_store(config));
    admin_->tell_usage_by(std::move(store));
    return {};
  }

  void bound_storage(const ServerSettings& server) {
    shared_.responses->bound(
        {.bytes = server.response_store, .count = server.response_store_count, .age = server.response_store_age});
  }

  // Says what is wrong, if anything; true when the configuration may be used.
  bool report(const Loaded& loaded) const {
    if (!loaded.faults.empty()) std::cerr << render(loaded.faults, text_, path_.empty() ? "the environment" : path_);
    return loaded.ok();
  }

  static int refuse(const Error& error) {
    std::cerr << "sluice: " << error.message << (error.detail.empty() ? "" : " (" + error.detail + ")") << '\n';
    return 2;
  }

  static LogChoice choice(const Config& config) {
    const MonitoringSettings& m = config.monitoring;
    return {.exchanges = m.enable_logging,
            .level = log_level(m.log_level).value_or(LogLevel::info),
            .format = m.log_format,
            .file = m.log_file};
  }

  void welcome(const Snapshot& snapshot, const ServerSettings& server) {
    std::string backends;
    for (const auto& backend : snapshot.backends()) {
      if (backend->off.empty()) backends += (backends.empty() ? "" : ", ") + backend->name;
    }
    log_.say(LogLevel::info, "sluice {} serves on {}://{} with {}", version, server.tls ? "https" : "http",
             gateway_->address(), backends);
    const bool everywhere = server.host != "127.0.0.1" && server.host != "localhost" && server.host != "::1";
    if (everywhere && snapshot.config().auth == "local") {
      log_.say(LogLevel::info,
               "only programs on this machine may call; list keys in the configuration to let others in");
    }
    remember(snapshot.config());
    watch_catalogue(snapshot.config());
  }

  void watch_catalogue(const Config& config) {
    if (catalogue_ == config.catalogue) return;
    catalogue_ = config.catalogue;
    catalogue_stamp_ = file_stamp(catalogue_);
  }

  // What the metrics may name.
  void tell_names(const Snapshot& snapshot) {
    MetricNames names;
    for (const auto& backend : snapshot.backends()) {
      names.providers[backend->name] = backend->provider ? std::string(backend->provider->name) : backend->name;
      for (const ModelName& model : backend->models) {
        for (const std::string& one : {model.name, model.upstream}) {
          if (!one.empty() && one.find('*') == std::string::npos) names.models.push_back(one);
        }
      }
    }
    metrics_.know(std::move(names));
  }

  void remember(const Config& config) {
    current_grace_ = config.server.grace;
    cert_ = config.server.tls ? config.server.tls->cert : std::string();
    key_ = config.server.tls ? config.server.tls->key : std::string();
    cert_stamp_ = file_stamp(cert_);
    key_stamp_ = file_stamp(key_);
    restart_only_ = restart_text(config);
  }

  // The settings that only a start can change, for telling when they were changed.
  static std::string restart_text(const Config& c) {
    std::string out = c.server.host + '|' + std::to_string(c.server.port) + '|' + std::to_string(c.server.workers) +
                      '|' + std::to_string(c.server.max_connections) + '|' + c.storage + '|' + c.server.handover + '|' +
                      c.ledger_path() + '|' + std::to_string(c.ledger.retention.count()) +
                      (c.ledger.strict ? "s" : "r");
    if (c.server.tls) out += '|' + c.server.tls->cert + '|' + c.server.tls->key;
    return out;
  }

  void watch() {
    for (;;) {
      const int got = wait_signal(milliseconds(500));
      if (ledger_) ledger_->tell(log_);
      if (got == SIGTERM || got == SIGINT) return;
      if (got == 0 && meet_successor()) {
        succeeded_ = true;
        return;
      }
      if (got == SIGHUP) {
        if (const auto reopened = writer_.reopen(); !reopened)
          log_.say(LogLevel::error, "{}", reopened.error()->detail);
        tell_reload();
        reload("SIGHUP");
        notifier_.tell("READY=1");
        continue;
      }
      if (const auto known = admin_->catch_up(); !known && std::exchange(keys_known_, false))
        log_.say(LogLevel::error, "changes of keys are not known here: {}", known.error()->message);
      else if (known)
        keys_known_ = true;
      if (!path_.empty() && file_stamp(path_) != file_) reload("its file changed");
      if (!catalogue_.empty() && file_stamp(catalogue_) != catalogue_stamp_) reload("the catalogue changed");
      if (!cert_.empty() && (file_stamp(cert_) != cert_stamp_ || file_stamp(key_) != key_stamp_)) reload_certificate();
    }
  }

  void tell_reload() const {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    notifier_.tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                               std::chrono::duration_cast<std::chrono::microseconds>(now).count()));
  }

  // What /health says about the last reload: the first fault that kept it from being used, or nothing.
  void tell_health(const std::vector<ConfigFault>& faults) {
    const auto fatal = [](const ConfigFault& f) { return !f.warning; };
    const auto first = std::ranges::find_if(faults, fatal);
    std::string text;
    if (first != faults.end())
      text = fmt::format("{}:{}:{}: {}", path_, first->mark.line, first->mark.column, first->message);
    const std::scoped_lock lock(shared_.config_error_mutex);
    shared_.config_error = std::move(text);
  }

  void reload(std::string_view why) {
    // Editors write in steps: wait until the file holds still.
    FileStamp now = file_stamp(path_);
    for (int i = 0; i < 10 && why != "SIGHUP"; ++i) {
      std::this_thread::sleep_for(milliseconds(20));
      const FileStamp later = file_stamp(path_);
      if (later == now) break;
      now = later;
    }
    file_ = now;
    catalogue_stamp_ = file_stamp(catalogue_);
    const auto text = path_.empty() ? Result<std::string>() : read_file(path_);
    if (!text) return log_.say(LogLevel::error, "the configuration stays as it was: {}", text.error()->message);
    Loaded loaded = load_config(*text, path_, process_environment);
    if (!loaded.ok()) {
      tell_health(loaded.faults);
      log_.say(LogLevel::error, "the configuration stays as it was: the new {} has faults", path_);
      for (const ConfigFault& f : loaded.faults) {
        if (!f.warning)
          log_.say(LogLevel::error, "{}:{}:{}: {}{}", path_, f.mark.line, f.mark.column, f.message,
                   f.hint.empty() ? "" : " (" + f.hint + ")");
      }
      return;
    }
    for (const ConfigFault& f : loaded.faults)
      log_.say(LogLevel::warning, "{}:{}: {} ({})", path_, f.mark.line, f.message, f.hint);
    if (const auto adopted = admin_->adopt(loaded.config); !adopted) {
      const std::string& fault = adopted.error()->message;
      tell_health({{.message = fault}});
      return log_.say(LogLevel::error, "the configuration stays as it was: {}", fault);
    }
    if (restart_text(loaded.config) != restart_only_) {
      log_.say(LogLevel::warning,
               "host, port, workers, max_connections, storage, ledger, handover or tls changed: they take effect on "
               "the next start");
    }
    if (const auto applied = log_.apply(choice(loaded.config)); !applied) {
      log_.say(LogLevel::error, "the log stays where it was: {}", applied.error()->detail);
    }
    current_grace_ = loaded.config.server.grace;
    watch_catalogue(loaded.config);
    bound_storage(loaded.config.server);
    const auto snapshot = Snapshot::compile(std::move(loaded.config));
    tell_names(*snapshot);
    gateway_->publish(snapshot);
    tell_health({});
    log_.say(LogLevel::info, "the configuration was read again: {}", why);
  }

  void reload_certificate() {
    cert_stamp_ = file_stamp(cert_);
    key_stamp_ = file_stamp(key_);
    const auto done = gateway_->reload_certificate();
    if (done) {
      log_.say(LogLevel::info, "the certificate was read again");
    } else {
      log_.say(LogLevel::error, "the old certificate stays: {}", done.error()->message);
    }
  }

  int finish(milliseconds grace) {
    log_.say(LogLevel::info, "stopping: no new connections; open exchanges have {} ms to finish", grace.count());
    door_.reset();
    if (!succeeded_) {  // else the supervisor has another process to look after
      constexpr milliseconds to_spare(10'000);
      notifier_.tell(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}", (grace + to_spare).count() * 1000));
    }
    gateway_->drain(succeeded_);
    const auto until = std::chrono::steady_clock::now() + grace;
    while (!gateway_->empty() && std::chrono::steady_clock::now() < until) {
      const int again = wait_signal(milliseconds(20));
      if (again == SIGTERM || again == SIGINT) break;  // asked twice: now
    }
    if (!gateway_->empty())
      log_.say(LogLevel::warning, "{} connections did not finish in time and are cut", shared_.open_connections.load());
    admin_->close();
    shared_.responses->close();  // their threads call into the workers' loops
    if (ledger_) ledger_->stop();
    gateway_.reset();
    ledger_.reset();
    log_.say(LogLevel::info, "stopped");
    writer_.flush(milliseconds(1000));
    return 0;
  }

  int signals_ = -1;
  std::string path_, text_;
  bool takeover_;
  bool succeeded_ = false;  // a successor serves
  std::function<void()> serving_;
  LogWriter writer_;
  Log log_;
  AccessLog access_;
  Metrics metrics_;
  std::unique_ptr<LedgerService> ledger_;
  Shared shared_;
  std::unique_ptr<Admin> admin_;
  bool keys_known_ = true;
  std::unique_ptr<Gateway> gateway_;
  net::Notifier notifier_;
  std::optional<net::Predecessor> predecessor_;
  std::unique_ptr<net::HandoverDoor> door_;
  milliseconds current_grace_{30'000};
  FileStamp file_, cert_stamp_, key_stamp_, catalogue_stamp_;
  std::string catalogue_, cert_, key_, restart_only_;
};

}  // namespace

int serve_command(ServeOptions options) {
  Service service(std::move(options));
  return service.run();
}

}  // namespace sluice
