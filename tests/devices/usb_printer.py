"""A printer on a USB bus made of software: pyusb asks this backend instead of libusb."""

from __future__ import annotations

from types import SimpleNamespace

import usb.core
from usb.backend import IBackend

from clerk_app.devices.printer.simulator.mechanism import NO_FAULTS, Faults, Mechanism
from clerk_app.devices.printer.simulator.paper import Paper

VENDOR, PRODUCT = 0x04B8, 0x0E15


class UsbBench(IBackend):
    """One printer with the descriptors of a printer class device: bulk out 0x02, bulk in 0x81.

    `two_way` False leaves the in endpoint away; `plugged` False makes the bus empty. `calls` are what was
    asked of the bus besides transfers.
    """

    def __init__(self, *, two_way: bool = True, printer_class: int = 7, serial: str = "A1") -> None:
        self.papers: list[Paper] = []
        self.mechanism = Mechanism(576, "gb18030", self.papers.append, self._answer)
        self.plugged = True
        self.full = False  # takes nothing more
        self.calls: list[str] = []
        self.kernel_driver = True
        self.open = 0
        self._two_way = two_way
        self._class = printer_class
        self._serial = serial
        self._said = bytearray()
        self._number = 0

    def set_faults(self, faults: Faults = NO_FAULTS) -> None:
        self.mechanism.set_faults(faults)

    def _answer(self, data: bytes) -> None:
        self._said += data

    # --- descriptors -----------------------------------------------------------------------------------

    def enumerate_devices(self):
        return ["printer"] if self.plugged else []

    def get_device_descriptor(self, dev):
        return SimpleNamespace(
            bLength=18,
            bDescriptorType=1,
            bcdUSB=0x0200,
            bDeviceClass=0,
            bDeviceSubClass=0,
            bDeviceProtocol=0,
            bMaxPacketSize0=64,
            idVendor=VENDOR,
            idProduct=PRODUCT,
            bcdDevice=0x0100,
            iManufacturer=0,
            iProduct=0,
            iSerialNumber=1,
            bNumConfigurations=1,
            address=5,
            bus=1,
            port_number=1,
            port_numbers=(1,),
            speed=2,
        )

    def get_configuration_descriptor(self, dev, config):
        if config:
            raise IndexError
        return SimpleNamespace(
            bLength=9,
            bDescriptorType=2,
            wTotalLength=32,
            bNumInterfaces=1,
            bConfigurationValue=1,
            iConfiguration=0,
            bmAttributes=0xC0,
            bMaxPower=1,
            extra_descriptors=[],
        )

    def get_interface_descriptor(self, dev, intf, alt, config):
        if intf or alt or config:
            raise IndexError
        return SimpleNamespace(
            bLength=9,
            bDescriptorType=4,
            bInterfaceNumber=0,
            bAlternateSetting=0,
            bNumEndpoints=2 if self._two_way else 1,
            bInterfaceClass=self._class,
            bInterfaceSubClass=1,
            bInterfaceProtocol=2,
            iInterface=0,
            extra_descriptors=[],
        )

    def get_endpoint_descriptor(self, dev, ep, intf, alt, config):
        address = (0x02, 0x81)[ep]
        return SimpleNamespace(
            bLength=7,
            bDescriptorType=5,
            bEndpointAddress=address,
            bmAttributes=2,
            wMaxPacketSize=64,
            bInterval=0,
            bRefresh=0,
            bSynchAddress=0,
            extra_descriptors=[],
        )

    # --- the bus ---------------------------------------------------------------------------------------

    def open_device(self, dev):
        self.open += 1
        return dev

    def close_device(self, dev_handle):
        self.open -= 1

    def set_configuration(self, dev_handle, config_value):
        self.calls.append("configure")
        self._number = config_value

    def get_configuration(self, dev_handle):
        return 1

    def claim_interface(self, dev_handle, intf):
        self.calls.append("claim")

    def release_interface(self, dev_handle, intf):
        self.calls.append("release")

    def reset_device(self, dev_handle):
        self.calls.append("reset")

    def is_kernel_driver_active(self, dev_handle, intf):
        return self.kernel_driver

    def detach_kernel_driver(self, dev_handle, intf):
        self.kernel_driver = False
        self.calls.append("detach")

    def ctrl_transfer(self, dev_handle, bmRequestType, bRequest, wValue, wIndex, data, timeout):
        """GET_DESCRIPTOR of a string: the languages, or the serial number."""
        text = b"\x09\x04" if wValue & 0xFF == 0 else self._serial.encode("utf-16-le")
        answer = bytes([2 + len(text), 3]) + text
        for place, byte in enumerate(answer[: len(data)]):
            data[place] = byte
        return min(len(answer), len(data))

    def bulk_write(self, dev_handle, ep, intf, data, timeout):
        assert ep == 0x02
        assert timeout > 0, "without a limit a printer out of paper holds the lane for ever"
        if not self.plugged:
            raise usb.core.USBError("no such device", errno=19)
        if self.full:
            raise usb.core.USBTimeoutError("timed out", errno=110)
        self.mechanism.receive(bytes(data))
        return len(data)

    def bulk_read(self, dev_handle, ep, intf, buff, timeout):
        assert ep == 0x81
        assert timeout > 0
        if not self._said:
            raise usb.core.USBTimeoutError("timed out", errno=110)
        said, self._said = self._said[: len(buff)], self._said[len(buff) :]
        for place, byte in enumerate(said):
            buff[place] = byte
        return len(said)
