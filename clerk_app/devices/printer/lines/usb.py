"""A printer on USB without a driver of the system, by python-escpos and pyusb (libusb)."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from clerk_app.devices.printer.lines.line import Line

_PRINTER_CLASS = 7
_CHUNK = 4096
_PAUSE = 0.02  # seconds before the next read of a printer that says "nothing" by an empty packet
_IN, _BULK = 0x80, 2  # of an endpoint's address and of its attributes


class UsbLine(Line):
    """The device `vendor`:`product`, or the one of them with `serial`.

    python-escpos' `Usb.open` resets the printer each time, which loses what it is printing, and assumes the
    addresses of its endpoints: the device is opened here and only written through it, with a limit (its own
    is none).
    """

    def __init__(
        self, vendor: int, product: int, serial: str = "", *, send_limit: float, backend: Any = None
    ) -> None:
        super().__init__(send_limit=send_limit)
        self._wanted: dict[str, Any] = {"idVendor": vendor, "idProduct": product}
        if serial:
            self._wanted["serial_number"] = serial
        self._backend = backend
        self._device: Any = None
        self._driver: Any = None
        self._in = 0

    def _open(self) -> None:
        import usb.core
        import usb.util
        from escpos.printer import Usb

        try:
            self._device = usb.core.find(backend=self._backend, **self._wanted)
        except ValueError as error:  # usb.core.NoBackendError, and a string that cannot be read
            raise OSError(str(error)) from error
        if self._device is None:
            raise FileNotFoundError("no such USB device")
        interface = self._interface()
        number = interface.bInterfaceNumber
        with contextlib.suppress(NotImplementedError):  # Windows, macOS
            if self._device.is_kernel_driver_active(number):
                self._device.detach_kernel_driver(number)
        usb.util.claim_interface(self._device, number)
        out = self._endpoint(interface, 0)
        if out is None:
            raise OSError("no endpoint to print to")
        back = self._endpoint(interface, _IN)
        self.two_way = back is not None
        self._in = back or 0
        self._driver = Usb(usb_args=self._wanted, timeout=1, out_ep=out)
        self._driver.device = self._device

    def _interface(self) -> Any:
        """The first interface of the printer class; of models that declare none, the first there is."""
        import usb.core

        try:
            configuration = self._device.get_active_configuration()
        except usb.core.USBError:
            self._device.set_configuration()
            configuration = self._device.get_active_configuration()
        interfaces = [each for each in configuration if each.bNumEndpoints]
        printers = [each for each in interfaces if each.bInterfaceClass == _PRINTER_CLASS]
        if not interfaces:
            raise OSError("no interface to print to")
        return (printers or interfaces)[0]

    @staticmethod
    def _endpoint(interface: Any, direction: int) -> int | None:
        """The address of the bulk endpoint in `direction`."""
        for endpoint in interface:
            address: int = endpoint.bEndpointAddress
            if address & _IN == direction and endpoint.bmAttributes & 3 == _BULK:
                return address
        return None

    def _close(self) -> None:
        if self._device is None:
            return
        import usb.core
        import usb.util

        device, self._device = self._device, None
        with contextlib.suppress(usb.core.USBError):
            usb.util.dispose_resources(device)
        if self._driver is not None:
            self._driver._device = False  # closed above; `Usb.close` would write it into the log

    def _write(self, data: bytes, seconds: float) -> None:
        end = time.monotonic() + seconds
        for start in range(0, len(data), _CHUNK):
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("the device takes no more")
            self._driver.timeout = max(1, int(left * 1000))  # 0 would be for ever
            self._driver._raw(data[start : start + _CHUNK])

    def _read(self, seconds: float) -> bytes:
        import usb.core

        try:
            data = bytes(self._device.read(self._in, 64, max(1, int(seconds * 1000))))
        except usb.core.USBTimeoutError:
            return b""
        if not data:
            time.sleep(min(seconds, _PAUSE))
        return data
