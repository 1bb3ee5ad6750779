// SPDX-License-Identifier: MIT
#include "net/proxy.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"
#include "net/address.h"
#include "wire/http1.h"

namespace sluice::net {
namespace {

std::unexpected<Failure> refused(const std::string& why) {
  return fail(Fault::upstream_unreachable, "The proxy in front of the upstream did not let us through.",
              "proxy: " + why);
}

std::unexpected<Failure> woken_by(Woke woke) {
  if (woke == Woke::cancelled) return fail(Fault::client_gone, "The client left.");
  return fail(Fault::upstream_timeout, "The upstream did not connect in time.", "proxy: no answer in time");
}

Task<Result<bool>> send(Socket& socket, Sleeper& sleeper, std::string bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const iovec piece{bytes.data() + sent, bytes.size() - sent};
    const Io io = socket.write({&piece, 1});
    if (io.state == IoState::done) {
      sent += io.size;
      continue;
    }
    if (io.state != IoState::again) co_return refused(socket.error());
    const Woke woke = co_await sleeper.writable(socket.watch());
    if (woke != Woke::ready) co_return woken_by(woke);
  }
  co_return true;
}

// At least one byte, at most `most`, appended to `to`.
Task<Result<bool>> receive(Socket& socket, Sleeper& sleeper, std::string& to, std::size_t most) {
  std::array<char, 1024> room;
  for (;;) {
    const Io io = socket.read(room.data(), std::min(most, room.size()));
    if (io.state == IoState::done) {
      to.append(room.data(), io.size);
      co_return true;
    }
    if (io.state == IoState::eof) co_return refused("it closed the connection");
    if (io.state == IoState::broken) co_return refused(socket.error());
    const Woke woke = co_await sleeper.readable(socket.watch());
    if (woke != Woke::ready) co_return woken_by(woke);
  }
}

Task<Result<std::string>> receive_exactly(Socket& socket, Sleeper& sleeper, std::size_t size) {
  std::string out;
  while (out.size() < size) CO_TRY_VOID(co_await receive(socket, sleeper, out, size - out.size()));
  co_return out;
}

// Reads the answer to CONNECT as far as it came; true when the tunnel stands, false when more must come.
Result<bool> read_answer(std::string_view bytes, std::size_t& seen) {
  http1::ResponseHead head;
  const http1::Parsed parsed = http1::parse_response(bytes, {}, seen, true, head);
  if (parsed.step == http1::Step::more) return false;
  if (parsed.step == http1::Step::bad) return refused("its answer is not HTTP");
  if (head.status == 407) return refused("it wants other credentials (407)");
  if (head.status < 200 || head.status > 299) {
    return refused("it answered " + std::to_string(head.status) + " " + visible_ascii(head.reason, 80));
  }
  if (parsed.consumed != bytes.size()) return refused("it sent bytes before the tunnel was used");
  return true;
}

Task<Result<bool>> http_connect(Socket& socket, Sleeper& sleeper, const Origin& origin) {
  const Proxy& proxy = *origin.proxy;
  const bool v6 = origin.host.find(':') != std::string::npos;
  const std::string target = (v6 ? "[" + origin.host + "]" : origin.host) + ":" + std::to_string(origin.port);
  if (!http1::is_value(target) || target.find(' ') != std::string::npos) co_return refused("not a host name");
  std::string ask = "CONNECT " + target + " HTTP/1.1\r\n";
  http1::append_field(ask, "Host", target);
  if (!proxy.user.empty() || !proxy.password.empty()) {
    http1::append_field(ask, "Proxy-Authorization", "Basic " + base64(proxy.user + ":" + proxy.password));
  }
  ask += "\r\n";
  CO_TRY_VOID(co_await send(socket, sleeper, std::move(ask)));
  std::string answer;
  std::size_t seen = 0;
  for (;;) {
    CO_TRY_VOID(co_await receive(socket, sleeper, answer, 1024));
    CO_TRY(const bool through, read_answer(answer, seen));
    if (through) co_return true;
  }
}

std::string_view socks_words(unsigned char code) {
  static constexpr std::array<std::string_view, 9> words{"",
                                                         "general failure",
                                                         "not allowed by its rules",
                                                         "network unreachable",
                                                         "host unreachable",
                                                         "connection refused",
                                                         "time to live expired",
                                                         "command not supported",
                                                         "address type not supported"};
  return code < words.size() ? words[code] : "unknown failure";
}

// RFC 1928 and 1929.
Task<Result<bool>> socks5(Socket& socket, Sleeper& sleeper, const Origin& origin) {
  const Proxy& proxy = *origin.proxy;
  const bool named = !proxy.user.empty() || !proxy.password.empty();
  if (proxy.user.size() > 255 || proxy.password.size() > 255 || origin.host.size() > 255) {
    co_return refused("SOCKS5 cannot say names or passwords of more than 255 bytes");
  }
  std::string greeting = named ? std::string("\x05\x02\x00\x02", 4) : std::string("\x05\x01\x00", 3);
  CO_TRY_VOID(co_await send(socket, sleeper, std::move(greeting)));
  CO_TRY(const std::string method, co_await receive_exactly(socket, sleeper, 2));
  if (method[0] != 5) co_return refused("it does not speak SOCKS5");
  if (method[1] == 2 && named) {
    std::string login("\x01", 1);
    login += static_cast<char>(proxy.user.size());
    login += proxy.user;
    login += static_cast<char>(proxy.password.size());
    login += proxy.password;
    CO_TRY_VOID(co_await send(socket, sleeper, std::move(login)));
    CO_TRY(const std::string verdict, co_await receive_exactly(socket, sleeper, 2));
    if (verdict[1] != 0) co_return refused("it wants other credentials");
  } else if (method[1] != 0) {
    co_return refused(named ? "it takes no user and password" : "it wants a user and a password");
  }

  std::string ask("\x05\x01\x00", 3);
  if (const auto address = parse_address(origin.host)) {
    ask += address->v6 ? '\x04' : '\x01';
    ask.append(reinterpret_cast<const char*>(address->bytes.data()), address->v6 ? 16 : 4);
  } else {
    ask += '\x03';
    ask += static_cast<char>(origin.host.size());
    ask += origin.host;
  }
  ask += static_cast<char>(origin.port >> 8);
  ask += static_cast<char>(origin.port & 0xff);
  CO_TRY_VOID(co_await send(socket, sleeper, std::move(ask)));
  CO_TRY(const std::string answer, co_await receive_exactly(socket, sleeper, 4));
  if (answer[0] != 5) co_return refused("it does not speak SOCKS5");
  if (answer[1] != 0) co_return refused(std::string(socks_words(static_cast<unsigned char>(answer[1]))));
  // The address it bound is of no use, but must be read away.
  std::size_t left = 0;
  if (answer[3] == 1) {
    left = 4;
  } else if (answer[3] == 4) {
    left = 16;
  } else if (answer[3] == 3) {
    CO_TRY(const std::string size, co_await receive_exactly(socket, sleeper, 1));
    left = static_cast<unsigned char>(size[0]);
  } else {
    co_return refused("its answer is not SOCKS5");
  }
  CO_TRY_VOID(co_await receive_exactly(socket, sleeper, left + 2));
  co_return true;
}

}  // namespace

Task<Result<bool>> tunnel(Socket& socket, Sleeper& sleeper, const Origin& origin) {
  return origin.proxy->kind == Proxy::Kind::socks5 ? socks5(socket, sleeper, origin)
                                                   : http_connect(socket, sleeper, origin);
}

}  // namespace sluice::net
