// A name server on loopback for tests, over UDP and TCP. SPDX-License-Identifier: MIT
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "net/address.h"
#include "net/rig_test.h"

namespace sluice::net::rig {

// Each question is answered by `zone`.
struct NameServer {
  struct Reply {
    int code = 0;  // 0 NOERROR, 2 SERVFAIL, 3 NXDOMAIN
    unsigned ttl = 60;
    std::vector<std::string> addresses;  // those of the asked type are sent
    bool silent = false;
    int after_ms = 0;
    bool truncated = false;  // over UDP: ask again over TCP
    std::string alias;       // a CNAME, whose owner the addresses are
    unsigned alias_ttl = 60;
  };
  NameServer() {
    // One port for both: the number that UDP got may be in use for TCP.
    for (int tries = 0; tcp_ < 0 && tries < 100; ++tries) {
      if (udp_ >= 0) close(udp_);
      udp_ = bind_to(SOCK_DGRAM, 0);
      sockaddr_in here{};
      socklen_t size = sizeof here;
      getsockname(udp_, reinterpret_cast<sockaddr*>(&here), &size);
      port = ntohs(here.sin_port);
      tcp_ = bind_to(SOCK_STREAM, port);
    }
    if (tcp_ < 0) std::abort();
    listen(tcp_, 8);
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  ~NameServer() {
    thread_.request_stop();
    thread_.join();
    close(udp_);
    close(tcp_);
  }
  void set(const std::string& name, Reply reply) {
    const std::scoped_lock lock(mutex_);
    zone_[name] = std::move(reply);
  }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port); }

  std::uint16_t port = 0;
  std::atomic<int> questions{0};

 private:
  static int bind_to(int kind, std::uint16_t wanted) {
    const int fd = socket(AF_INET, kind | SOCK_CLOEXEC, 0);
    sockaddr_storage to;
    const socklen_t size = parse_address("127.0.0.1")->fill(to, wanted);
    if (bind(fd, reinterpret_cast<sockaddr*>(&to), size) == 0) return fd;
    close(fd);
    return -1;
  }
  static void put16(std::string& out, unsigned value) {
    out += static_cast<char>(value >> 8);
    out += static_cast<char>(value & 0xff);
  }
  static std::string labels(std::string_view name) {
    std::string out;
    while (!name.empty()) {
      const auto dot = std::min(name.find('.'), name.size());
      out += static_cast<char>(dot);
      out += name.substr(0, dot);
      name.remove_prefix(std::min(dot + 1, name.size()));
    }
    return out + '\0';
  }
  static void record(std::string& out, const std::string& owner, unsigned type, unsigned ttl, const std::string& data) {
    out += owner;
    put16(out, type);
    put16(out, 1);
    put16(out, ttl >> 16);
    put16(out, ttl & 0xffff);
    put16(out, static_cast<unsigned>(data.size()));
    out += data;
  }
  // Empty: no answer.
  std::string answer(const std::string& question, bool over_udp) {
    ++questions;
    std::string name;
    std::size_t at = 12;
    while (question.at(at) != 0) {
      const auto size = static_cast<std::size_t>(question.at(at));
      if (!name.empty()) name += '.';
      name += question.substr(at + 1, size);
      at += size + 1;
    }
    const unsigned type = static_cast<unsigned char>(question.at(at + 2));
    Reply reply;
    {
      const std::scoped_lock lock(mutex_);
      const auto found = zone_.find(name);
      if (found == zone_.end()) {
        reply.code = 3;
      } else {
        reply = found->second;
      }
    }
    if (reply.silent) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(reply.after_ms));
    const bool cut = reply.truncated && over_udp;
    std::string records;
    unsigned count = 0;
    if (reply.code == 0 && !cut) {
      std::string owner("\xc0\x0c", 2);
      if (!reply.alias.empty()) {
        record(records, owner, 5, reply.alias_ttl, labels(reply.alias));
        owner = labels(reply.alias);
        ++count;
      }
      for (const std::string& text : reply.addresses) {
        const Address address = *parse_address(text);
        if ((type == 28) != address.v6) continue;
        record(records, owner, type, reply.ttl,
               {reinterpret_cast<const char*>(address.bytes.data()), address.v6 ? 16U : 4U});
        ++count;
      }
    }
    std::string out = question.substr(0, 2);
    put16(out, 0x8180U | (cut ? 0x0200U : 0U) | static_cast<unsigned>(reply.code));
    put16(out, 1);
    put16(out, count);
    put16(out, 0);
    put16(out, 0);
    return out + question.substr(12, at + 5 - 12) + records;
  }
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::array<pollfd, 2> ready{pollfd{udp_, POLLIN, 0}, pollfd{tcp_, POLLIN, 0}};
      if (poll(ready.data(), 2, 20) <= 0) continue;
      if ((ready[0].revents & POLLIN) != 0) {
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        std::string question(512, '\0');
        const ssize_t got =
            recvfrom(udp_, question.data(), question.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
        if (got < 17) continue;
        question.resize(static_cast<std::size_t>(got));
        const std::string out = answer(question, true);
        if (!out.empty()) sendto(udp_, out.data(), out.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
      }
      if ((ready[1].revents & POLLIN) != 0) {
        const int fd = accept(tcp_, nullptr, nullptr);
        for (;;) {
          const std::string size = read_exactly(fd, 2);
          if (size.size() < 2) break;
          const std::string question = read_exactly(fd, static_cast<unsigned char>(size[1]));
          const std::string out = answer(question, false);
          std::string framed;
          put16(framed, static_cast<unsigned>(out.size()));
          write_all(fd, framed + out);
        }
        close(fd);
      }
    }
  }

  int udp_ = -1;
  int tcp_ = -1;
  std::mutex mutex_;
  std::unordered_map<std::string, Reply> zone_;
  std::jthread thread_;
};

}  // namespace sluice::net::rig
